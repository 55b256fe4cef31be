"""Choose the device of a run, and record why."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass

from funasr_cli.errors import DeviceError
from funasr_cli.executors.ascend.device_files import (
    how_to_get_files,
    missing_files,
    npu_files,
    shared_files,
)
from funasr_cli.executors.ascend.topology import accelerators, has_driver
from funasr_cli.system.isolated import NoAnswer, run_isolated

logger = logging.getLogger(__name__)

SURVEY_TIMEOUT_S = 60.0
"""Seconds within which CANN's runtime has to list the NPUs."""

HOW_TO_USE_CPU = "To run on the CPU, use --device cpu"


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The kind of device, `cpu` or `npu`, and the reason, as shown in the manifest.

    `npus` are the NPUs to use, of the model `soc`, numbered as in ASCEND_RT_VISIBLE_DEVICES. `passed_over` is true if
    the machine has NPUs, but this container has no access to them.
    """

    kind: str
    why: str
    npus: tuple[int, ...] = ()
    soc: str = ""
    passed_over: bool = False


def choose_device(asked: str) -> DeviceChoice:
    """Return the device for `auto`, `cpu`, `npu` or e.g. `npu:0,2`.

    Raises `DeviceError` rather than use another device than requested or silently ignore an NPU.
    """
    if asked == "cpu":
        return DeviceChoice("cpu", "asked for with --device cpu")
    nodes = npu_files()
    logger.debug("device files: %s", nodes)
    if asked == "auto" and not nodes:
        return _cpu_without_npus()
    try:
        soc, count = survey_npus()
        named = asked.partition(":")[2]
        npus = tuple(dict.fromkeys(map(int, named.split(",")))) if named else tuple(range(count))
        if absent := [npu for npu in npus if npu >= count]:
            raise DeviceError(f"there is no NPU {absent[0]}; NPUs available to this process: {count}, numbered from 0")
    except DeviceError as error:
        found = f"found {', '.join(nodes)}" if nodes else "no Ascend NPU is visible (/dev/davinci*)"
        hint = "\n  ".join(filter(None, [error.hint, HOW_TO_USE_CPU]))
        raise DeviceError(f"{error.what}; {found}", hint=hint) from error
    return DeviceChoice(
        "npu", f"found {', '.join(nodes)}" if asked == "auto" else f"asked for with --device {asked}", npus, soc
    )


def _cpu_without_npus() -> DeviceChoice:
    """Choose the CPU if there is no usable NPU. Raises `DeviceError` if there is an NPU whose device files are missing.

    A container sees the PCI bus of its host. If a driver is loaded for the NPU, but the container has neither device
    files nor the driver's tool, it was meant to run without the NPU.
    """
    bus = accelerators()
    if not bus:
        return DeviceChoice("cpu", "no Ascend NPU on this machine")
    there = f"an Ascend NPU is on the PCI bus ({', '.join(bus)})"
    lacks = f"/dev has no {', '.join(missing_files())}"
    given = [*shared_files(), *filter(None, [shutil.which("npu-smi")])]
    if not given and all(map(has_driver, bus)):
        return DeviceChoice("cpu", f"{there}, but this container has no access to it: {lacks}", passed_over=True)
    raise DeviceError(f"{there}, but {lacks}", hint=f"{how_to_get_files()}\n  {HOW_TO_USE_CPU}")


def survey_npus() -> tuple[str, int]:
    """Return the SoC of the NPUs and their number, as reported by CANN's runtime.

    Raises `DeviceError` if the runtime is missing, finds no NPU, or does not answer.
    """
    try:
        return run_isolated("funasr-survey", SURVEY_TIMEOUT_S, _survey)
    except NoAnswer as error:
        what = f"did not answer within {SURVEY_TIMEOUT_S:.0f} s" if error.hung else "crashed while listing the NPUs"
        raise DeviceError(f"CANN's runtime {what}", hint="npu-smi info") from error


def _survey() -> tuple[str, int]:
    from funasr_cli.executors.ascend.device import survey

    return survey()
