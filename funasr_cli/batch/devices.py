"""Which device a run uses, and why; how many cores and how much memory this process may use."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import DeviceError

DEV = Path("/dev")
CGROUPS = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Device:
    """The device and the reason for it, as the record shows them."""

    kind: str
    why: str


def choose_device(asked: str, family: str) -> Device:
    """The device for a model family. Raises `DeviceError` rather than fall back to another than was asked for."""
    if asked == "cpu":
        return Device("cpu", "asked for with --device cpu")
    npus = sorted(path.name for path in DEV.glob("davinci[0-9]*"))
    if asked == "npu" or npus:
        found = f"found {', '.join(npus)}" if npus else "no Ascend NPU is visible (/dev/davinci*)"
        raise DeviceError(
            f"{family} models do not run on the NPU in this version; {found}",
            hint="To run on the CPU, say so: --device cpu",
        )
    return Device("cpu", "no Ascend NPU on this machine")


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
