"""`funasr-cli doctor` on healthy machines and others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.doctor import machine, versions
from funasr_cli.doctor.versions import Package
from funasr_cli.models.catalogue import WHISPER_BASE
from funasr_cli.system import processor, resources
from tests.conftest import NANO
from tests.support.command import Run
from tests.support.doctors import LAST, Doctor, line, next_command
from tests.support.doctors import doctor as doctor
from tests.support.doctors import model as model
from tests.support.doctors import store as store


def test_a_machine_in_order_is_told_to_transcribe(doctor: Doctor, model: Path) -> None:
    result = doctor()
    assert result.exit_code == 0, result.stdout
    assert f"in {model}, sizes as recorded" in line(result, "sensevoice-small-int8")
    assert "warning" not in result.stdout
    assert next_command(result) == "funasr-cli transcribe FOLDER"


def test_the_runtimes_of_this_machine_can_be_imported(run: Run, model: Path) -> None:
    done = run("doctor", "--json")
    assert done.returncode == 0, done.stdout
    found = {check["name"]: check for check in json.loads(done.stdout)["sections"]["versions"]}
    assert {package.name for package in versions.PACKAGES} < found.keys()
    assert {check["verdict"] for check in found.values()} == {"ok"}


def test_without_a_model_it_says_which_command_brings_it(doctor: Doctor) -> None:
    result = doctor()
    assert result.exit_code == 4
    assert "models import whisper-base.tar" in line(result, "whisper-base")
    assert next_command(result) == WHISPER_BASE.install


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: os.truncate(folder / LAST, 5), f"{LAST} in"),
        (lambda folder: (folder / LAST).unlink(), f"{LAST} is missing"),
        (lambda folder: (folder / "more.onnx").touch(), "more.onnx in"),
        (lambda folder: (folder / "origin.json").write_text("{}"), "not a record of a model's origin"),
    ],
)
def test_a_damaged_model_is_found_without_hashing(
    doctor: Doctor, model: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(model)
    result = doctor()
    assert result.exit_code == 4
    assert said in line(result, "sensevoice-small-int8")
    assert next_command(result) == "funasr-cli models verify sensevoice-small-int8"


def test_a_store_that_cannot_be_made_matters_where_a_model_has_yet_to_come(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(tmp_path / "file/store"))
    monkeypatch.setattr("funasr_cli.doctor.models.is_installed", lambda entry: True)
    result = doctor()
    assert result.exit_code == 4
    assert f"{tmp_path}/file is not a folder" in line(result, "models")
    assert next_command(result) == "export FUNASR_CLI_MODELS=DIR"


def test_what_an_option_helps_against_is_in_the_next_command(doctor: Doctor, model: Path, tmp_path: Path) -> None:
    (tmp_path / "cwd/transcripts").touch()
    result = doctor("--model", str(NANO))
    assert result.exit_code == 0
    assert line(result, "transcripts").startswith("  warning")
    assert next_command(result) == f"funasr-cli transcribe FOLDER --model {NANO} -o DIR"


def test_a_model_that_is_compiled_for_npus_alone_does_not_run_on_a_cpu(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "compiled").mkdir()
    for name in ("tokens.txt", "nano_6s_Ascend310P3.om"):
        (tmp_path / "compiled" / name).touch()
    result = doctor("--model", str(tmp_path / "compiled"))
    assert result.exit_code == 4
    assert "is compiled for NPUs and has no weights for a CPU" in line(result, "model")
    assert next_command(result) == "funasr-cli doctor"


@pytest.mark.parametrize(
    ("code", "reason", "mended_by"),
    [
        (
            "raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')",
            "ImportError: libgomp.so.1: cannot open",
            "dnf install '*/libgomp.so.1'",
        ),
        (
            "raise ImportError('/lib/libgomp.so.1: cannot allocate memory in static TLS block')",
            "static TLS block",
            "export LD_PRELOAD=/lib/libgomp.so.1",
        ),
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGILL)",
            "killed by SIGILL",
            "pip install --force-reinstall runtime",
        ),
        (
            "try: import nothing_of_this_name\nexcept ImportError as error: raise ImportError('a page') from error",
            "ModuleNotFoundError: No module named 'nothing_of_this_name'",
            "pip install --force-reinstall runtime",
        ),
    ],
)
def test_a_runtime_that_cannot_be_imported_is_one_line_with_the_reason(
    doctor: Doctor, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str, mended_by: str
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/broken_runtime.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(versions, "PACKAGES", (Package("runtime", "broken_runtime"),))
    result = doctor()
    assert result.exit_code == 4
    assert reason in line(result, "runtime").splitlines()[0]
    assert next_command(result).startswith(mended_by)
    assert "broken_runtime" not in sys.modules


def test_a_runtime_that_the_model_does_without_is_a_warning_where_it_is_broken(
    doctor: Doctor, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/broken_runtime.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(versions, "PACKAGES", (Package("runtime", "broken_runtime", "whisper"),))
    result = doctor()
    assert result.exit_code == 0
    assert line(result, "runtime").startswith("  warning")


def test_it_needs_no_numpy_to_tell_that_there_is_none() -> None:
    code = "import sys; sys.modules['numpy'] = None; import funasr_cli.doctor.report"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_json_holds_what_the_text_says(doctor: Doctor) -> None:
    result = doctor("--json")
    assert result.exit_code == 4
    report = json.loads(result.stdout)
    assert report["ready"] is False
    assert report["next"] == WHISPER_BASE.install
    assert list(report["sections"]) == ["versions", "machine", "models", "devices", "folders"]
    assert report["sections"]["devices"] == [
        {"name": "NPU", "text": "none; runs use the CPU", "verdict": "ok", "fix": "", "option": ""}
    ]


def test_a_kunpeng_is_known_by_its_numbers(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x48\nCPU part\t: 0xd01\n"
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "Kunpeng 920 (TaiShan v110); has asimddp; no i8mm, SVE" in line(doctor(), "processor")


def test_a_control_group_with_little_memory_is_a_warning(
    doctor: Doctor, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text("50000000\n")
    monkeypatch.setattr(resources, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "LOW_MEMORY_BYTES", 100_000_000)
    result = doctor()
    assert result.exit_code == 0
    assert "50 MB available, the limit of the control group" in line(result, "memory")


def test_nothing_is_made_or_changed(run: Run, tmp_path: Path) -> None:
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    folders = {"HOME": "home", "TMPDIR": "temporary", "FUNASR_CLI_MODELS": "store"}
    before = times(tmp_path)
    done = run("doctor", env={**os.environ, **{name: str(tmp_path / folder) for name, folder in folders.items()}})
    assert f"{tmp_path}/temporary, writable" in done.stdout
    assert f"{tmp_path}/store, can be created" in done.stdout
    assert times(tmp_path) == before


def times(folder: Path) -> dict[Path, int]:
    """Return the time of the last change of each file and folder, which also reveals what was made and removed."""
    return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
