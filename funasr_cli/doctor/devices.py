"""Checks of devices: which one a run would use, with which model, and everything about NPUs if there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.doctor.check import Check
from funasr_cli.doctor.models import compiled_folders
from funasr_cli.doctor.npu import examine_npus, is_npu_here, without_problems
from funasr_cli.errors import DeviceError, ModelError
from funasr_cli.executors.ascend.device_files import how_to_get_files
from funasr_cli.executors.selection import HOW_TO_USE_CPU, choose_device
from funasr_cli.files import printable, shell_quoted
from funasr_cli.models.layouts import AUTO, choose_weights, layout_of
from funasr_cli.models.model_yaml import MODEL_YAML, OMS, read_model_yaml

NAMELESS = "funasr-cli doctor"
"""The command that looks for a model that works here, suggested if the model that was named does not."""


@dataclass(frozen=True, slots=True)
class Devices:
    """The checks. `model` is the folder of a model that ran on an NPU, if no model was named."""

    checks: Sequence[Check]
    model: Path | None = None


def examine_devices(model: Path | None) -> Devices:
    """Check the device that a run would use, with the model in folder `model`, or any in the store."""
    try:
        device = choose_device("auto")
    except DeviceError as error:
        checks = examine_npus(_folders(model)).checks
        fix = next((check.fix for check in checks if check.verdict == "problem"), "npu-smi info")
        return Devices([Check("NPU", f"{error.what}. {HOW_TO_USE_CPU}", "problem", fix), *checks])
    if device.kind == "npu":
        return _on_npus(device.why, model)
    if device.passed_over:
        choice = Check("NPU", f"{device.why}; runs use the CPU", "warning", how_to_get_files())
    else:
        choice = Check("NPU", "none; runs use the CPU")
    about = without_problems(examine_npus(_folders(model)).checks) if is_npu_here() else []
    return Devices([choice, *(_on_cpu(model) if model else []), *about])


def _folders(model: Path | None) -> Sequence[Path]:
    """The folders in which to look for OMs."""
    return [model] if model else compiled_folders()


def _on_cpu(model: Path) -> list[Check]:
    try:
        choose_weights(layout_of(model), model, AUTO)
    except ModelError as error:
        return [Check("model", printable(str(error.what)), "problem", NAMELESS)]
    return []


def _on_npus(why: str, model: Path | None) -> Devices:
    choice = Check("NPU", f"used: {why}")
    if model and not layout_of(model).compiled:
        text = f"{layout_of(model).family} models do not run on an NPU. {HOW_TO_USE_CPU}"
        return Devices([choice, Check("model", text, "problem", NAMELESS), *examine_npus(None).checks])
    npus = examine_npus(_folders(model))
    if npus.om is None:
        return Devices([choice, *npus.checks])
    return Devices([choice, *_account_of(npus.om), *npus.checks], npus.om.parent)


def _account_of(om: Path) -> list[Check]:
    """Check that model.yaml lists the OM. A run also verifies the OM against it, and refuses a mismatch."""
    try:
        account = read_model_yaml(om.parent)
    except ModelError as error:
        text = printable(str(error.what))
    else:
        if account is None or om.name in (account.get(OMS) or {}):
            return []
        text = f"{MODEL_YAML} does not list {printable(om.name)}, so a run would refuse it"
    return [Check("model", text, "problem", f"funasr-cli convert {shell_quoted(om.parent)}")]
