"""NUMA: the node that an NPU hangs on, and keeping a process on its cores and in its memory.

A server with several processors has memory and PCI slots by processor. Windows for an NPU cross to the other one's
memory and back where the process that feeds it runs there.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from funasr_cli.errors import DeviceError, UsageError
from funasr_cli.executors import npu_smi
from funasr_cli.executors.npu_smi import Chip

SYSFS = Path("/sys")

HUAWEI = "0x19e5"
ACCELERATOR = "0x1200"
"""The PCI class of processing accelerators; Huawei makes network and graphics adapters as well."""

ASCEND = "0xd"
"""How the PCI device numbers of Ascend begin: 0xd100 is a 310, 0xd500 a 310P, 0xd801 to 0xd803 are 910, 0xd806 a 950.

A Kunpeng's own engine for compression, 0xa250, is a processing accelerator too.
"""

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


def accelerators() -> list[str]:
    """The PCI addresses of NPUs, e.g. `0000:c1:00.0`. In a container too, those that it was not given among them."""
    found = []
    for path in sorted((SYSFS / "bus/pci/devices").glob("*")):
        with suppress(OSError):
            vendor, kind, device = (
                (path / name).read_text(encoding="ascii").strip() for name in ("vendor", "class", "device")
            )
            if vendor == HUAWEI and kind.startswith(ACCELERATOR) and device.startswith(ASCEND):
                found.append(path.name)
    return found


def has_driver(address: str) -> bool:
    """Whether a driver has taken the device at a PCI address: in a container, one of the host's."""
    return (SYSFS / "bus/pci/devices" / address / "driver").exists()


def node_of(npu: int, chips: Sequence[Chip] | None = None) -> int | None:
    """The node that an NPU hangs on; None where that is not known.

    `npu` counts as the runtime does, see `npu_smi.visible`. `chips` are those of `npu_smi.ask`, which takes seconds:
    ask once for several NPUs. Where npu-smi tells no address, all NPUs of the machine have to hang on one node: their
    order on the bus need not be that of their numbers.
    """
    if chips is None:
        try:
            chips = npu_smi.ask()
        except DeviceError:
            chips = ()
    counted = npu_smi.visible(chips)
    bus = counted[npu].bus if 0 <= npu < len(counted) else None
    if bus is not None:
        return _node_at(bus)
    possible = {_node_at(address) for address in accelerators()}
    return possible.pop() if len(possible) == 1 else None


def choose_node(asked: str | int, npu: int, chips: Sequence[Chip] | None = None) -> int | None:
    """The node to pin to; None: do not pin. `asked` is `auto` (where there is a choice), `off`, or a node.

    Raises `UsageError` where there is no such node.
    """
    if asked == "off":
        return None
    there = nodes()
    if asked == "auto":
        node = node_of(npu, chips) if len(there) > 1 else None
        return node if node in there else None
    if asked not in there:
        known = ", ".join(map(str, there)) or "none"
        raise UsageError(f"there is no NUMA node {asked} with cores", hint=f"Nodes of this machine: {known}")
    return int(asked)


def choose_nodes(asked: str, npus: Sequence[int]) -> list[int | None]:
    """The node for each NPU, by `auto`, `off` or the number of a node; where there is no NPU, one for the CPU.

    Raises `UsageError` where there is no such node.
    """
    wanted: str | int = int(asked) if asked.isdecimal() else asked
    if not npus:
        return [None if wanted == "auto" else choose_node(wanted, 0)]
    chips: Sequence[Chip] = ()
    if wanted == "auto" and len(nodes()) > 1:
        with suppress(DeviceError):
            chips = npu_smi.ask()
    return [choose_node(wanted, npu, chips) for npu in npus]


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


def describe(at: Mapping[int, int | None]) -> str:
    """In words: the nodes of this machine, and on which each NPU hangs (`at`, None: unknown)."""
    there = nodes()
    if len(there) < 2:
        return "one node, nothing to pin"
    text = "; ".join(f"node {node} has {len(cores)} cores" for node, cores in there.items())
    hangs = (f"NPU {npu} on {'an unknown node' if node is None else f'node {node}'}" for npu, node in at.items())
    return "; ".join([f"{len(there)} nodes: {text}", *hangs])


def _node_at(bus: str) -> int | None:
    with suppress(OSError, ValueError):
        node = int((SYSFS / "bus/pci/devices" / bus / "numa_node").read_text(encoding="ascii"))
        return node if node >= 0 else None  # -1: the firmware does not tell
    return None


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
