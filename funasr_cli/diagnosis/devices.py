"""Devices that a run could use. Further checks of NPUs (driver, CANN) belong into this list."""

from __future__ import annotations

from funasr_cli.batch.devices import choose_device
from funasr_cli.diagnosis.check import Check
from funasr_cli.errors import DeviceError


def device_checks(family: str) -> list[Check]:
    """What a run of a model of `family` would run on, and whether it may."""
    return [_choice(family)]


def _choice(family: str) -> Check:
    try:
        device = choose_device("auto")
    except DeviceError as error:
        option = "--device cpu"
        return Check("NPU", error.what, "warning", f"To run on the CPU, say so: {option}", option)
    return Check("NPU", f"none: runs on the {device.kind.upper()}")
