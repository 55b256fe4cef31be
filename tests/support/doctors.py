"""Machines for `funasr-cli doctor`, and its output."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from funasr_cli.cli import cli
from funasr_cli.doctor import versions
from funasr_cli.doctor.versions import Package
from funasr_cli.models.catalogue import SENSEVOICE_SMALL_INT8

Doctor = Callable[..., Result]

LAST = SENSEVOICE_SMALL_INT8.files[-1].name


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the model store, which does not exist yet."""
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def model(store: Path) -> Path:
    """The folder of a model in the store; its files have the right sizes, but no content."""
    folder = store / SENSEVOICE_SMALL_INT8.name
    folder.mkdir(parents=True)
    for file in SENSEVOICE_SMALL_INT8.files:
        (folder / file.name).touch()
        os.truncate(folder / file.name, file.size)
    return folder


@pytest.fixture
def doctor(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """The command, on a machine with one package, no packaged models, no NPU, and plenty of room."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr("funasr_cli.executors.ascend.device_files.DEV", tmp_path / "dev")
    monkeypatch.setattr("funasr_cli.system.numa.SYSFS", tmp_path / "sys")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin")  # npu-smi would be there
    monkeypatch.setattr("funasr_cli.doctor.models.is_installed", lambda entry: False)
    monkeypatch.setattr("funasr_cli.doctor.folders.LOW_SPACE_BYTES", 0)
    monkeypatch.setattr("funasr_cli.doctor.machine.LOW_MEMORY_BYTES", 0)
    monkeypatch.setattr(versions, "PACKAGES", (Package("click", "click"),))
    return lambda *arguments: CliRunner().invoke(cli, ["doctor", *arguments], catch_exceptions=False)


def next_command(result: Result) -> str:
    return str(result.stdout).splitlines()[-1].removeprefix("next: ")


def line(result: Result, name: str) -> str:
    """Return the line about `name`, and the hint about it."""
    lines = result.stdout.splitlines()
    found = next(index for index, text in enumerate(lines) if text[11:].startswith(f"{name} "))
    return "\n".join(lines[found : found + 2])
