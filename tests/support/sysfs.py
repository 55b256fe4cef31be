"""NUMA nodes and NPUs in /sys, as a tree of files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

NETWORK = "0000:7d:00.0"
COMPRESSION = "0000:75:00.0"
"""Address of the compression engine of a Kunpeng 920, which has the same PCI class as an NPU."""


def write_sysfs(root: Path, nodes: Mapping[int, str], npus: Mapping[str, int | None], *, driver: bool = False) -> Path:
    """Add nodes by number and list of cores; replace the NPUs, given by PCI address and node.

    `driver`: whether a driver has claimed the NPUs.
    """
    for node, cores in nodes.items():
        folder = root / f"devices/system/node/node{node}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpulist").write_text(f"{cores}\n", encoding="ascii")
    shutil.rmtree(root / "bus", ignore_errors=True)
    _write_device(root, NETWORK, "0x020000", "0xa222", 0)
    _write_device(root, COMPRESSION, "0x120000", "0xa250", 0)
    for bus, at in npus.items():
        folder = _write_device(root, bus, "0x120000", "0xd500", at)
        if driver:
            (root / "bus/pci/drivers/devdrv_device_driver").mkdir(parents=True, exist_ok=True)
            (folder / "driver").symlink_to("../../drivers/devdrv_device_driver")
    return root


def _write_device(root: Path, bus: str, kind: str, device: str, node: int | None) -> Path:
    folder = root / "bus/pci/devices" / bus
    folder.mkdir(parents=True)
    for name, value in (("vendor", "0x19e5"), ("class", kind), ("device", device), ("numa_node", node)):
        if value is not None:
            (folder / name).write_text(f"{value}\n", encoding="ascii")
    return folder
