"""The device is what was asked for, or an error; never a quiet substitute."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.batch import devices
from funasr_cli.batch.devices import choose_device, usable_cores
from funasr_cli.errors import DeviceError


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(devices, "DEV", tmp_path)
    return tmp_path


def test_auto_takes_the_cpu_where_there_is_no_npu_and_says_so(dev: Path) -> None:
    (dev / "davinci_manager").touch()
    assert choose_device("auto", "Whisper").kind == "cpu"
    assert "no Ascend NPU" in choose_device("auto", "Whisper").why


def test_auto_does_not_pass_over_an_npu(dev: Path) -> None:
    (dev / "davinci0").touch()
    with pytest.raises(DeviceError, match=r"(?s)Whisper models do not run on the NPU.*davinci0.*--device cpu"):
        choose_device("auto", "Whisper")
    assert choose_device("cpu", "Whisper").kind == "cpu"


def test_npu_never_means_cpu(dev: Path) -> None:
    with pytest.raises(DeviceError, match="no Ascend NPU is visible"):
        choose_device("npu", "Whisper")


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 4), ("200000 100000", 2), ("50000 100000", 1), (None, 4)])
def test_cores_are_what_affinity_and_control_group_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str | None, cores: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)))
    monkeypatch.setattr(devices, "CGROUP_QUOTA", tmp_path / "cpu.max")
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota + "\n")
    assert usable_cores() == cores
