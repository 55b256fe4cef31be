"""NUMA: the nodes of this machine, and pinning a process to the cores and memory of one node.

In a server with several processors, memory and PCI slots belong to one processor each. If the process that feeds an NPU
runs on another processor, windows travel through that processor's memory and back.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SYSFS = Path("/sys")

PREFERRED = 1  # MPOL_PREFERRED of set_mempolicy(2)
BITS = 64


def nodes() -> Mapping[int, frozenset[int]]:
    """The cores of each node that has any, by node number; empty if the kernel does not list nodes."""
    found = {}
    for path in sorted((SYSFS / "devices/system/node").glob("node[0-9]*")):
        with suppress(OSError, ValueError):
            cores = _cores((path / "cpulist").read_text(encoding="ascii"))
            if cores:
                found[int(path.name.removeprefix("node"))] = cores
    return found


def usable_nodes() -> list[int]:
    """The nodes on whose cores this process may run."""
    allowed = os.sched_getaffinity(0)
    return [node for node, cores in nodes().items() if cores & allowed]


def pin(node: int | None) -> None:
    """Pin this thread, and all threads it starts later, to the node's cores, and prefer the node's memory.

    Call it first in a new process, before it starts threads or allocates memory. Does nothing for None or if none of
    the node's cores is allowed; anything that a container forbids is skipped silently.
    """
    if node is None:
        return
    cores = nodes().get(node, frozenset()) & os.sched_getaffinity(0)
    if cores:
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
        _prefer_memory_of(node)


def _cores(ranges: str) -> frozenset[int]:
    """Parse a list of cores as the kernel writes it, e.g. `0-3,8`."""
    parts = (part.partition("-") for part in ranges.strip().split(",") if part)
    return frozenset(core for low, _, high in parts for core in range(int(low), int(high or low) + 1))


def _prefer_memory_of(node: int) -> None:
    try:
        libnuma = ctypes.CDLL("libnuma.so.1", use_errno=True)
    except OSError:
        return  # the kernel prefers the memory of the node whose cores are used anyway
    if libnuma.numa_available() < 0:
        return
    # Not numa_set_preferred, which writes to stderr if a container's seccomp profile forbids the call.
    mask = (ctypes.c_ulong * (node // BITS + 1))()
    mask[node // BITS] = 1 << node % BITS
    libnuma.set_mempolicy(ctypes.c_int(PREFERRED), mask, ctypes.c_ulong(len(mask) * BITS + 1))
