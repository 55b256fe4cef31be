"""Which device a run uses, and why; and how many cores this process may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import DeviceError

DEV = Path("/dev")
CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


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
    try:
        quota, period = CGROUP_QUOTA.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, round(int(quota) / int(period))))
