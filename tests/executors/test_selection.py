"""The device is the one requested, or there is an error; never a silent substitute."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from funasr_cli.errors import DeviceError
from funasr_cli.executors import selection
from funasr_cli.executors.ascend import device_files
from funasr_cli.executors.selection import DeviceChoice, choose_device
from funasr_cli.system import numa, resources
from funasr_cli.system.resources import usable_cores
from tests.simulator.fixtures import Npu
from tests.simulator.fixtures import npu as npu
from tests.simulator.npu_smi import NONE, write_npu_smi
from tests.support.sysfs import write_sysfs

SHARED = ("davinci_manager", "devmm_svm", "hisi_hdc")


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of device files on a machine without NPUs."""
    monkeypatch.setattr(device_files, "DEV", tmp_path)
    monkeypatch.setattr(numa, "SYSFS", write_sysfs(tmp_path / "sys", {}, {}))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin")
    return tmp_path


def test_auto_takes_the_cpu_where_there_is_no_npu_and_says_so(dev: Path) -> None:
    (dev / "davinci_manager").touch()
    assert choose_device("auto") == DeviceChoice("cpu", "no Ascend NPU on this machine")


def test_auto_in_a_container_that_was_given_nothing_of_its_hosts_npu_is_the_cpu_and_says_why(dev: Path) -> None:
    write_sysfs(dev / "sys", {}, {"0000:01:00.0": 0, "0000:81:00.0": 1}, driver=True)
    why = (
        "an Ascend NPU is on the PCI bus (0000:01:00.0, 0000:81:00.0), but this container has no access to it: "
        "/dev has no davinci0, davinci_manager, devmm_svm, hisi_hdc"
    )
    assert choose_device("auto") == DeviceChoice("cpu", why, passed_over=True)
    assert choose_device("cpu") == DeviceChoice("cpu", "asked for with --device cpu")


@pytest.mark.parametrize(
    ("driver", "files", "tool", "mended_by"),
    [
        (False, (), False, "npu-driver_VERSION"),  # not in use: no driver is loaded
        (False, SHARED, True, "npu-driver_VERSION"),
        (True, ("davinci_manager",), False, "docker run --device /dev/davinci0 --device /dev/davinci_manager"),
        (True, SHARED, False, "docker run --device /dev/davinci0"),
        (True, (), True, "docker run --device /dev/davinci0"),  # the tool was mounted, which has no other use
    ],
)
def test_auto_does_not_pass_over_an_npu_on_the_bus_that_was_meant_for_it(
    dev: Path, driver: bool, files: Sequence[str], tool: bool, mended_by: str
) -> None:
    write_sysfs(dev / "sys", {}, {"0000:01:00.0": 0}, driver=driver)
    for name in files:
        (dev / name).touch()
    if tool:
        write_npu_smi(dev / "bin", NONE)
    with pytest.raises(DeviceError, match=r"on the PCI bus \(0000:01:00\.0\), but /dev has no") as raised:
        choose_device("auto")
    missing = [name for name in ("davinci0", *SHARED) if name not in files]
    assert raised.value.what.endswith(f"/dev has no {', '.join(missing)}")
    assert raised.value.hint is not None
    assert mended_by in raised.value.hint
    assert "--device cpu" in raised.value.hint
    assert choose_device("cpu").kind == "cpu"


def test_auto_does_not_pass_over_an_npu_that_cannot_be_used(dev: Path) -> None:
    (dev / "davinci0").touch()
    with pytest.raises(DeviceError) as raised:
        choose_device("auto")
    assert "cannot be imported" in raised.value.what
    assert raised.value.what.endswith("found davinci0")
    assert raised.value.hint is not None
    assert "set_env.sh" in raised.value.hint
    assert "--device cpu" in raised.value.hint
    assert choose_device("cpu").kind == "cpu"


def test_npu_never_means_cpu(dev: Path) -> None:
    with pytest.raises(DeviceError, match="no Ascend NPU is visible"):
        choose_device("npu")


def test_npu_means_all_that_this_process_may_use(dev: Path, npu: Npu) -> None:
    npu.set(socs=["Ascend910B4"] * 3)
    assert choose_device("npu") == DeviceChoice("npu", "asked for with --device npu", (0, 1, 2), "Ascend910B4")
    npu.monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "1,2")
    assert choose_device("npu").npus == (0, 1)
    (dev / "davinci0").touch()
    (dev / "davinci1").touch()
    assert choose_device("auto") == DeviceChoice("npu", "found davinci0, davinci1", (0, 1), "Ascend910B4")


def test_npus_can_be_named_but_have_to_be_there(dev: Path, npu: Npu) -> None:
    npu.set(socs=["Ascend310P3"] * 3)
    assert choose_device("npu:0,2").npus == (0, 2)
    assert choose_device("npu:2,2").npus == (2,)
    with pytest.raises(DeviceError, match="there is no NPU 3; NPUs available to this process: 3, numbered from 0"):
        choose_device("npu:0,3")


def test_a_runtime_that_finds_none_or_dies_or_hangs_is_told(
    dev: Path, npu: Npu, monkeypatch: pytest.MonkeyPatch
) -> None:
    npu.set(socs=[])
    with pytest.raises(DeviceError, match="the runtime finds no NPU"):
        choose_device("npu")
    monkeypatch.setattr(selection, "_survey", dies)
    with pytest.raises(DeviceError, match="crashed while listing the NPUs"):
        choose_device("npu")
    monkeypatch.setattr(selection, "_survey", hangs)
    monkeypatch.setattr(selection, "SURVEY_TIMEOUT_S", 0.2)
    with pytest.raises(DeviceError, match="did not answer within 0 s"):
        choose_device("npu")


def dies() -> None:
    os._exit(3)


def hangs() -> None:
    time.sleep(60)


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
    monkeypatch.setattr(resources, "CGROUPS", tmp_path)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert usable_cores() == cores
