"""NUMA: the nodes of this machine, and keeping a process on the cores and in the memory of one.

A server with several processors has memory and PCI slots by processor. Windows for an NPU cross to the other one's
memory and back where the process that feeds it runs there.
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
    """The cores of each node that has some, by its number; empty where the kernel does not tell."""
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
    """Keep this thread, and what it starts from now on, on the node's cores, and its memory there while there is room.

    To be called first in a new process, before it has threads or memory. Does nothing for None, and leaves the cores as
    they are where none of the node's is allowed; what a container forbids is left undone.
    """
    if node is None:
        return
    cores = nodes().get(node, frozenset()) & os.sched_getaffinity(0)
    if cores:
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
        _prefer_memory_of(node)


def _cores(ranges: str) -> frozenset[int]:
    """Of `0-3,8`, as the kernel lists cores."""
    parts = (part.partition("-") for part in ranges.strip().split(",") if part)
    return frozenset(core for low, _, high in parts for core in range(int(low), int(high or low) + 1))


def _prefer_memory_of(node: int) -> None:
    try:
        libnuma = ctypes.CDLL("libnuma.so.1", use_errno=True)
    except OSError:
        return  # on the node's cores, the kernel takes the node's memory first anyway
    if libnuma.numa_available() < 0:
        return
    # Not numa_set_preferred, which writes to stderr where a container's seccomp profile forbids the call.
    mask = (ctypes.c_ulong * (node // BITS + 1))()
    mask[node // BITS] = 1 << node % BITS
    libnuma.set_mempolicy(ctypes.c_int(PREFERRED), mask, ctypes.c_ulong(len(mask) * BITS + 1))
