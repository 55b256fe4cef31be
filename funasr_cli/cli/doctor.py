"""`funasr-cli doctor`."""

from __future__ import annotations

import sys

import click

from funasr_cli.errors import MachineError


@click.command(short_help="Check this machine, and say what is missing.")
@click.option("--json", "as_object", is_flag=True, help="Print everything as one JSON object.")
def doctor(as_object: bool) -> None:
    """Check this machine, and say what is missing and which command to type next.

    Looks at versions, processor, memory, models, devices and folders, needs no network and changes nothing. Of models
    it compares sizes; `funasr-cli models verify` hashes them.

    Exit codes: 0 a run is possible, perhaps with warnings; 4 it is not.
    """
    from funasr_cli.diagnosis.report import as_json, as_text, diagnose

    report = diagnose()
    click.echo(as_json(report) if as_object else as_text(report))
    sys.exit(0 if report.ready else MachineError.exit_code)
