"""Where NPUs are attached: their PCI addresses and NUMA nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from funasr_cli.errors import DeviceError, UsageError
from funasr_cli.executors.ascend import npu_smi
from funasr_cli.executors.ascend.npu_smi import Chip
from funasr_cli.system import numa

HUAWEI = "0x19e5"

ACCELERATOR = "0x1200"
"""PCI class of processing accelerators; Huawei also makes network and graphics adapters."""

ASCEND = "0xd"
"""Prefix of Ascend's PCI device numbers: 0xd100 is a 310, 0xd500 a 310P, 0xd801 to 0xd803 are 910, 0xd806 a 950.

Kunpeng's compression engine, 0xa250, is also a processing accelerator.
"""


def accelerators() -> list[str]:
    """Return the PCI addresses of NPUs, e.g. `0000:c1:00.0`; in a container, also of those it has no access to."""
    found = []
    for path in sorted((numa.SYSFS / "bus/pci/devices").glob("*")):
        with suppress(OSError):
            vendor, kind, device = (
                (path / name).read_text(encoding="ascii").strip() for name in ("vendor", "class", "device")
            )
            if vendor == HUAWEI and kind.startswith(ACCELERATOR) and device.startswith(ASCEND):
                found.append(path.name)
    return found


def has_driver(address: str) -> bool:
    """Whether a driver (in a container: one of the host) is bound to the device at a PCI address."""
    return (numa.SYSFS / "bus/pci/devices" / address / "driver").exists()


def node_of(npu: int, chips: Sequence[Chip] | None = None) -> int | None:
    """Return the NUMA node of an NPU; None if unknown.

    `npu` is numbered as in the runtime, see `npu_smi.visible`. `chips` come from `npu_smi.ask`, which takes seconds:
    call it once for several NPUs. If npu-smi reports no address, the node is only known if all NPUs of the machine are
    on one node, because their order on the bus may differ from that of their numbers.
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
    """Return the node to pin to; None: do not pin. `asked` is `auto` (pin if there are several nodes), `off` or a node.

    Raises `UsageError` if there is no such node.
    """
    if asked == "off":
        return None
    there = numa.nodes()
    if asked == "auto":
        node = node_of(npu, chips) if len(there) > 1 else None
        return node if node in there else None
    if asked not in there:
        known = ", ".join(map(str, there)) or "none"
        raise UsageError(f"there is no NUMA node {asked} with cores", hint=f"Nodes of this machine: {known}")
    return int(asked)


def choose_nodes(asked: str, npus: Sequence[int]) -> list[int | None]:
    """Return the node for each NPU, as requested with `auto`, `off` or the number of a node.

    Without NPUs, returns the nodes for processes on the CPU: all usable ones if there are several. Raises `UsageError`
    if there is no such node.
    """
    wanted: str | int = int(asked) if asked.isdecimal() else asked
    if not npus:
        usable = numa.usable_nodes() if wanted == "auto" else []
        return [*usable] if len(usable) > 1 else [None if wanted == "auto" else choose_node(wanted, 0)]
    chips: Sequence[Chip] = ()
    if wanted == "auto" and len(numa.nodes()) > 1:
        with suppress(DeviceError):
            chips = npu_smi.ask()
    return [choose_node(wanted, npu, chips) for npu in npus]


def describe(at: Mapping[int, int | None]) -> str:
    """Describe the nodes of this machine and the node of each NPU (`at`; None: unknown)."""
    there = numa.nodes()
    if len(there) < 2:
        return "one node, nothing to pin"
    text = "; ".join(f"node {node} has {len(cores)} cores" for node, cores in there.items())
    hangs = (f"NPU {npu} on {'an unknown node' if node is None else f'node {node}'}" for npu, node in at.items())
    return "; ".join([f"{len(there)} nodes: {text}", *hangs])


def _node_at(bus: str) -> int | None:
    with suppress(OSError, ValueError):
        node = int((numa.SYSFS / "bus/pci/devices" / bus / "numa_node").read_text(encoding="ascii"))
        return node if node >= 0 else None  # -1: not reported by the firmware
    return None
