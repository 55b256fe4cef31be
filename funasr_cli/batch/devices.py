"""Which device a run uses, and why; how many cores and how much memory this process may use."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.batch import numa
from funasr_cli.batch.apart import NoAnswer, ask_apart
from funasr_cli.errors import DeviceError
from funasr_cli.executors.acl import SHARED_FILES, container_options

DEV = Path("/dev")
CGROUPS = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")

DRIVER = "sudo bash Ascend-hdk-CHIP-npu-driver_VERSION_linux-$(uname -m).run --full --install-for-all"

SURVEY = 60.0
"""Seconds within which CANN's runtime has to say which NPUs there are."""

ON_THE_CPU = "To run on the CPU, say so: --device cpu"


@dataclass(frozen=True, slots=True)
class Device:
    """The kind of device, `cpu` or `npu`, and the reason for it, as the record shows them.

    `npus` are the NPUs of the kind `soc` that are used, counted as ASCEND_RT_VISIBLE_DEVICES has them. `passed_over`:
    there are some, of which nothing was given to this container.
    """

    kind: str
    why: str
    npus: tuple[int, ...] = ()
    soc: str = ""
    passed_over: bool = False


def choose_device(asked: str) -> Device:
    """The device for `auto`, `cpu`, `npu` or e.g. `npu:0,2`.

    Raises `DeviceError` rather than fall back to another than was asked for, or pass over an NPU that is there.
    """
    if asked == "cpu":
        return Device("cpu", "asked for with --device cpu")
    nodes = npu_files()
    if asked == "auto" and not nodes:
        return _cpu_without_npus()
    try:
        soc, count = survey_npus()
        named = asked.partition(":")[2]
        npus = tuple(dict.fromkeys(map(int, named.split(",")))) if named else tuple(range(count))
        if absent := [npu for npu in npus if npu >= count]:
            raise DeviceError(f"there is no NPU {absent[0]}; this process may use {count}, counted from 0")
    except DeviceError as error:
        found = f"found {', '.join(nodes)}" if nodes else "no Ascend NPU is visible (/dev/davinci*)"
        hint = "\n  ".join(filter(None, [error.hint, ON_THE_CPU]))
        raise DeviceError(f"{error.what}; {found}", hint=hint) from error
    return Device(
        "npu", f"found {', '.join(nodes)}" if asked == "auto" else f"asked for with --device {asked}", npus, soc
    )


def _cpu_without_npus() -> Device:
    """The CPU, where no NPU is to be used. Raises `DeviceError` where one is there, but not its files.

    A container sees the PCI bus of its host. It was meant to do without where a driver has the NPU and nothing else of
    it was given: neither files nor the driver's tool.
    """
    bus = numa.accelerators()
    if not bus:
        return Device("cpu", "no Ascend NPU on this machine")
    there = f"an Ascend NPU is on the PCI bus ({', '.join(bus)})"
    lacks = f"/dev has no {', '.join(missing_files())}"
    given = [*(name for name in SHARED_FILES if (DEV / name).exists()), *filter(None, [shutil.which("npu-smi")])]
    if not given and all(map(numa.has_driver, bus)):
        return Device("cpu", f"{there}, but this container was not given it: {lacks}", passed_over=True)
    raise DeviceError(f"{there}, but {lacks}", hint=f"{how_to_get_files()}\n  {ON_THE_CPU}")


def npu_files() -> list[str]:
    """The files in /dev of the NPUs that this process may use, by number."""
    return sorted((path.name for path in DEV.glob("davinci[0-9]*")), key=lambda name: (len(name), name))


def wanted_files() -> list[str]:
    """All files in /dev that NPUs need; of the first one where there is none."""
    return [*(npu_files() or ["davinci0"]), *SHARED_FILES]


def missing_files() -> list[str]:
    """Those of the files in /dev that are not there."""
    return [name for name in wanted_files() if not (DEV / name).exists()]


def how_to_get_files() -> str:
    """The command that brings the files: the driver's installer, or, where a driver is loaded, a container's start."""
    bus = numa.accelerators()
    if bus and not any(map(numa.has_driver, bus)):
        return f"{DRIVER}   (and restart: no driver has the NPU)"
    return f"docker run {container_options(wanted_files())}"


def survey_npus() -> tuple[str, int]:
    """The SoC of the NPUs and their number, as CANN's runtime has them.

    Raises `DeviceError` where the runtime is not there, finds none, or does not answer.
    """
    try:
        return ask_apart("funasr-survey", SURVEY, _survey)
    except NoAnswer as error:
        what = f"does not answer within {SURVEY:.0f} s" if error.hung else "ends the process that asks it for NPUs"
        raise DeviceError(f"CANN's runtime {what}", hint="npu-smi info") from error


def _survey() -> tuple[str, int]:
    from funasr_cli.executors.acl import survey

    return survey()


def usable_cores() -> int:
    """Cores this process may use: its affinity, and the quota of its control group where there is one."""
    cores = len(os.sched_getaffinity(0))
    for files in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):  # version 2, version 1
        try:
            quota, period = " ".join((CGROUPS / name).read_text() for name in files).split()
        except (OSError, ValueError):
            continue
        if quota not in ("max", "-1"):  # no limit
            cores = max(1, min(cores, round(int(quota) / int(period))))
    return cores


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that can be had, and whether a control group is what limits them."""

    available: int
    limited: bool


def usable_memory() -> Memory:
    """What the kernel calls available, or the limit of a control group where that is less."""
    available = 0
    with suppress(OSError):
        for line in MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # version 2, version 1
        with suppress(OSError, ValueError):  # "max" is no number
            limit = int((CGROUPS / name).read_text())
            if limit < available:
                return Memory(limit, limited=True)
    return Memory(available, limited=False)
