"""Every benchmark still works: each makes its measurement on tiny input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HELPERS = {"contender", "contenders", "smoke"}
"""Modules of benchmarks/ that are not programs."""

PROGRAMS = sorted({path.stem for path in (ROOT / "benchmarks").glob("*.py")} - HELPERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_smoke_run(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--smoke"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, last = ["", *done.stdout.splitlines()]
    if last.startswith("skipped: "):
        pytest.skip(last.removeprefix("skipped: "))
    assert last == "smoke: passed"  # a program without --smoke does not print this
    assert list(tmp_path.iterdir()) == []
