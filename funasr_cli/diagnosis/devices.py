"""Devices that a run could use: which one it would take, and everything about NPUs where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from funasr_cli.batch.devices import choose_device
from funasr_cli.diagnosis.check import Check
from funasr_cli.diagnosis.npu import is_npu_here, npu_checks, without_problems
from funasr_cli.errors import DeviceError


def device_checks(family: str, folders: Sequence[Path]) -> list[Check]:
    """What a run of a model of `family` would run on, and whether it may. `folders` may hold OMs for NPUs."""
    choice, takes_npu = _choice(family)
    if not is_npu_here():
        return [choice]
    checks = npu_checks(folders)
    return [choice, *(checks if takes_npu else without_problems(checks))]


def _choice(family: str) -> tuple[Check, bool]:
    """What it would be, and whether that is an NPU."""
    try:
        device = choose_device("auto")
    except DeviceError as error:
        option = "--device cpu"
        return Check("NPU", error.what, "warning", f"To run on the CPU, say so: {option}", option), False
    if device.kind == "npu":
        return Check("NPU", f"taken: {device.why}"), True
    return Check("NPU", f"none: runs on the {device.kind.upper()}"), False
