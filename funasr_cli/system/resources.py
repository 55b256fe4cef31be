"""How many cores and how much memory this process may use, what it has used, and giving memory back."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")

MEMINFO = Path("/proc/meminfo")
PROCESS_STATUS = Path("/proc/self/status")


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
    """What the kernel calls available, or the limit of a control group where that is less.

    Without /proc what is free; 0 if that is unknown, too.
    """
    available = 0
    with suppress(OSError, ValueError):
        available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
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


def release_freed_memory() -> None:
    """Give the system what this process has freed; glibc keeps it, after a graph was loaded as much as its weights."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)


def peak_memory() -> int:
    """The most bytes that this process has had in memory; 0 if the kernel does not tell.

    Not `resource.getrusage`, which counts what the process was before it became this program.
    """
    with suppress(OSError):
        for line in PROCESS_STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
