"""Fixtures that provide a simulated machine, and fail if a rule of its runtime was broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent
PYTHON = FOLDER / "python"
ATC = FOLDER / "bin" / "atc"


@dataclass
class Npu:
    """A simulated machine, for this process and its children."""

    monkeypatch: pytest.MonkeyPatch
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    process: Any = None

    def set(self, **settings: Any) -> None:
        """Describe the machine (see `acl/_machine.py`), and begin a new lifetime of the runtime in this process."""
        self.settings.update(settings)
        path = self.folder / "machine.json"
        path.write_text(json.dumps({**self.settings, "folder": str(self.folder)}), encoding="utf-8")
        self.monkeypatch.setenv("ACL_SIMULATOR", str(path))
        self.new_process()

    def new_process(self) -> None:
        """Begin a new lifetime of the runtime, like a new interpreter; the last one must have left nothing."""
        from acl import _process

        if self.process is not None:
            self.check()
        self.process = _process.new_process()

    def check(self) -> None:
        """Fail if this lifetime, or a child process that has ended, broke a rule or left something unreleased."""
        problems = self.violations() + self.process.leaks()
        problems += [problem for report in self.reports() for problem in report["violations"] + report["leaks"]]
        assert not problems, "\n".join(problems)

    def violations(self) -> list[str]:
        """The rules broken in this lifetime."""
        from acl._memory import written_after_free

        return [*self.process.violations, *written_after_free(self.process)]

    def reports(self) -> list[dict[str, Any]]:
        """The reports of child processes that have ended."""
        return [json.loads(path.read_text(encoding="utf-8")) for path in self.folder.glob("process-*.json")]


@pytest.fixture
def npu(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Npu]:
    """One Ascend310P3; a test fails if it breaks a rule of the runtime or leaves something unreleased."""
    machine = bare_npu(monkeypatch, tmp_path_factory.mktemp("npu"))
    yield machine
    machine.check()


def bare_npu(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Npu:
    """Return a machine that is not checked afterwards."""
    monkeypatch.syspath_prepend(str(PYTHON))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(PYTHON), os.environ.get("PYTHONPATH")])))
    machine = Npu(monkeypatch, folder)
    machine.set()
    return machine


def atc(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the compiler."""
    return subprocess.run([sys.executable, str(ATC), *options], capture_output=True, text=True, check=False)


def compile_om(graph: Path, target: Path, shape: str, *more: str, soc: str = "Ascend310P3") -> Path:
    """Compile a graph to the OM `target`."""
    done = atc(
        f"--model={graph}", "--framework=5", f"--output={target.with_suffix('')}", "--input_format=ND",
        f"--input_shape={shape}", f"--soc_version={soc}", "--log=error", *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return target
