"""Cores and memory that this process may use, its peak memory, and the release of freed memory."""

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
    """Cores that this process may use: its affinity, limited by the quota of its control group if there is one."""
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
    """Available bytes, and whether a control group limits them."""

    available: int
    limited: bool


def usable_memory() -> Memory:
    """The memory that the kernel reports as available, or the limit of a control group if that is less.

    Without /proc, the free memory; 0 if that is unknown as well.
    """
    available = 0
    with suppress(OSError, ValueError):
        available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError):
        for line in MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # version 2, version 1
        with suppress(OSError, ValueError):  # "max" is not a number
            limit = int((CGROUPS / name).read_text())
            if limit < available:
                return Memory(limit, limited=True)
    return Memory(available, limited=False)


def release_freed_memory() -> None:
    """Return freed memory to the system. After loading a graph, glibc would keep as much as its weights."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)


def peak_memory() -> int:
    """Peak resident memory of this process in bytes; 0 if the kernel does not report it.

    Not from `resource.getrusage`, which includes the process before it executed this program.
    """
    with suppress(OSError):
        for line in PROCESS_STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
