"""`funasr-cli doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from funasr_cli import exit_codes


@click.command(short_help="Check this machine, and say what is missing.")
@click.option("--json", "as_object", is_flag=True, help="Print everything as one JSON object.")
@click.option(
    "--model",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For runs of the model in this folder, with its OMs for NPUs, instead of the default.",
)
def doctor(as_object: bool, model: Path | None) -> None:
    """Check this machine, and say what is missing and which command to type next.

    Looks at versions, processor, memory, models, devices and folders, needs no network and changes nothing. Of models
    it compares sizes; `funasr-cli models verify` hashes them. On each Ascend NPU it runs a compiled model once, with
    zeros, where there is one for it; CANN keeps its log of that.

    Exit codes: 0 a run is possible, perhaps with warnings; 4 it is not.
    """
    from funasr_cli.doctor.report import as_json, as_text, diagnose

    report = diagnose(model)
    click.echo(as_json(report) if as_object else as_text(report))
    sys.exit(0 if report.ready else exit_codes.MACHINE)
