"""Which device a run uses, and why."""

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
"""Seconds within which CANN's runtime has to say which NPUs there are."""

HOW_TO_USE_CPU = "To run on the CPU, say so: --device cpu"


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The kind of device, `cpu` or `npu`, and the reason for it, as the record shows them.

    `npus` are the NPUs of the kind `soc` that are used, counted as ASCEND_RT_VISIBLE_DEVICES has them. `passed_over`:
    there are some, of which nothing was given to this container.
    """

    kind: str
    why: str
    npus: tuple[int, ...] = ()
    soc: str = ""
    passed_over: bool = False


def choose_device(asked: str) -> DeviceChoice:
    """The device for `auto`, `cpu`, `npu` or e.g. `npu:0,2`.

    Raises `DeviceError` rather than fall back to another than was asked for, or pass over an NPU that is there.
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
            raise DeviceError(f"there is no NPU {absent[0]}; this process may use {count}, counted from 0")
    except DeviceError as error:
        found = f"found {', '.join(nodes)}" if nodes else "no Ascend NPU is visible (/dev/davinci*)"
        hint = "\n  ".join(filter(None, [error.hint, HOW_TO_USE_CPU]))
        raise DeviceError(f"{error.what}; {found}", hint=hint) from error
    return DeviceChoice(
        "npu", f"found {', '.join(nodes)}" if asked == "auto" else f"asked for with --device {asked}", npus, soc
    )


def _cpu_without_npus() -> DeviceChoice:
    """The CPU, where no NPU is to be used. Raises `DeviceError` where one is there, but not its files.

    A container sees the PCI bus of its host. It was meant to do without where a driver has the NPU and nothing else of
    it was given: neither files nor the driver's tool.
    """
    bus = accelerators()
    if not bus:
        return DeviceChoice("cpu", "no Ascend NPU on this machine")
    there = f"an Ascend NPU is on the PCI bus ({', '.join(bus)})"
    lacks = f"/dev has no {', '.join(missing_files())}"
    given = [*shared_files(), *filter(None, [shutil.which("npu-smi")])]
    if not given and all(map(has_driver, bus)):
        return DeviceChoice("cpu", f"{there}, but this container was not given it: {lacks}", passed_over=True)
    raise DeviceError(f"{there}, but {lacks}", hint=f"{how_to_get_files()}\n  {HOW_TO_USE_CPU}")


def survey_npus() -> tuple[str, int]:
    """The SoC of the NPUs and their number, as CANN's runtime has them.

    Raises `DeviceError` where the runtime is not there, finds none, or does not answer.
    """
    try:
        return run_isolated("funasr-survey", SURVEY_TIMEOUT_S, _survey)
    except NoAnswer as error:
        what = (
            f"does not answer within {SURVEY_TIMEOUT_S:.0f} s"
            if error.hung
            else "ends the process that asks it for NPUs"
        )
        raise DeviceError(f"CANN's runtime {what}", hint="npu-smi info") from error


def _survey() -> tuple[str, int]:
    from funasr_cli.executors.ascend.device import survey

    return survey()
