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


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000\n"}, 4),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
    ],
)
def test_cores_are_what_affinity_and_control_group_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)))
    monkeypatch.setattr(devices, "CGROUPS", tmp_path)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert usable_cores() == cores
