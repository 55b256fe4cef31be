"""A model to compile, a machine with a compiler, and a simulated NPU."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.simulator.cann_tree import write_cann
from tests.simulator.fixtures import npu as npu


@pytest.fixture
def folder(frozen: Path, tmp_path: Path) -> Path:
    """A copy of the model."""
    return Path(shutil.copytree(frozen, tmp_path / "nano"))


@pytest.fixture
def cann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a machine that has CANN there, but not on the PATH."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ASCEND_SEARCH_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'smi'}{os.pathsep}/usr/bin:/bin")
    monkeypatch.delenv("ASCEND_TOOLKIT_HOME", raising=False)
    return write_cann(tmp_path / "Ascend", "cann-8.5.0", "8.5.0")
