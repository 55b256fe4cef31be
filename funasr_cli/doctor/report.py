"""The report of all checks, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from funasr_cli.doctor.check import Check
from funasr_cli.doctor.devices import examine_devices
from funasr_cli.doctor.folders import folder_checks
from funasr_cli.doctor.limits import limit_checks
from funasr_cli.doctor.machine import machine_checks
from funasr_cli.doctor.models import model_checks
from funasr_cli.doctor.versions import version_checks
from funasr_cli.json_paths import json_for_stdout, path_fields
from funasr_cli.models.catalogue import CATALOGUE
from funasr_cli.models.layouts import layout_of
from funasr_cli.models.store import default_model

TRANSCRIBE = "funasr-cli transcribe FOLDER"


@dataclass(frozen=True, slots=True)
class Report:
    """The checks by section, in the order in which they are printed."""

    sections: Mapping[str, Sequence[Check]]

    @property
    def ready(self) -> bool:
        """Whether a run is possible, so that `next` is a command that transcribes."""
        return all(check.verdict != "problem" for check in self._checks())

    @property
    def next(self) -> str:
        """The command to type: the fix of the first problem, else a run with the options that it needs here."""
        mending = (check.fix for check in self._checks() if check.verdict == "problem")
        options = (check.option for check in self._checks() if check.option)
        return next(mending, " ".join([TRANSCRIBE, *options]))

    def _checks(self) -> Iterator[Check]:
        for checks in self.sections.values():
            yield from checks


def diagnose(model: Path | None = None) -> Report:
    """Make all checks for runs of the model in the folder `model`. Writes nothing.

    If `model` is None: for a model in the store that is compiled for this machine's NPUs, if it has working ones; else
    for the default model. Raises `ModelError` if the folder contains no model.
    """
    named = layout_of(model).family if model else None
    devices = examine_devices(model)
    taken = model or devices.model
    family = named or (layout_of(taken).family if taken else CATALOGUE[default_model()[0]].family)
    return Report(
        {
            "versions": version_checks(family),
            "machine": [*machine_checks(), *limit_checks()],
            "models": model_checks(model, devices.model),
            "devices": devices.checks,
            "folders": folder_checks(chosen=taken is not None),
        }
    )


def as_text(report: Report) -> str:
    """Format the report as aligned lines, each fix below its check, and the next command at the end."""
    width = max(len(check.name) for checks in report.sections.values() for check in checks)
    lines = []
    for section, checks in report.sections.items():
        lines.append(section)
        for check in checks:
            lines.append(f"  {check.verdict:7}  {check.name:{width}}  {check.text}")
            if check.fix:
                lines.append(f"  {'':7}  {'':{width}}  -> {check.fix}")
        lines.append("")
    return "\n".join([*lines, f"next: {report.next}"])


def as_json(report: Report) -> str:
    """Format as `{"ready", "next", "sections": {name: [{"name", "text", "verdict", "fix", "option", "path"}]}}`.

    `path` is present if a folder was checked.
    """
    sections = {name: [_fields(check) for check in checks] for name, checks in report.sections.items()}
    return json_for_stdout({"ready": report.ready, "next": report.next, "sections": sections})


def _fields(check: Check) -> dict[str, Any]:
    fields = asdict(check)
    path = fields.pop("path")
    return fields if path is None else {**fields, **path_fields("path", path)}
