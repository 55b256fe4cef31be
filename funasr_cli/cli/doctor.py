"""`funasr-cli doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from funasr_cli import exit_codes
from funasr_cli.cli.completion import MODELS
from funasr_cli.errors import ModelError, UsageError

EXISTING = click.Path(path_type=Path, exists=True)


@click.command(short_help="Check this machine for what is missing, or measure its speed.")
@click.argument("recording", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_object", is_flag=True, help="Print everything as one JSON object.")
@click.option(
    "--model",
    metavar="NAME|DIR",
    shell_complete=MODELS,
    help="Check for runs with this model (a name or a folder) and its OMs for NPUs, instead of the default model.",
)
@click.option(
    "--speed",
    is_flag=True,
    help="Measure for about a minute how fast this machine's CPU runs the model, and with how many windows at a time "
    "it is fastest. Uses the first five minutes of RECORDING, or else synthetic speech-like sound.",
)
@click.pass_context
def doctor(context: click.Context, recording: Path | None, as_object: bool, model: str | None, speed: bool) -> None:
    """Check this machine; report what is missing and which command to type next.

    Checks versions, processor, memory, models, devices and folders. Needs no network and changes nothing. Model files
    are compared by size only; `funasr-cli models verify` hashes them. On each Ascend NPU, a model compiled for it is
    run once on zeros, if there is one; CANN writes its usual log.

    --speed measures instead: speed in × real time, hours of speech per day, the bottleneck and the best setting.

    Exit codes: 0 a run is possible, perhaps with warnings; 4 no run is possible.
    """
    if speed:
        _measure(model, recording, as_object=as_object)
        return
    if recording is not None:
        raise UsageError(f"{recording}: a recording is only used with --speed")
    from funasr_cli.doctor.report import as_json, as_text, diagnose

    report = diagnose(_folder(model, context) if model else None)
    click.echo(as_json(report) if as_object else as_text(report))
    sys.exit(0 if report.ready else exit_codes.MACHINE)


def _folder(model: str, context: click.Context) -> Path:
    """The folder of that name, or of that model in the store. Raises `ModelError` if it does not exist."""
    from funasr_cli.models.catalogue import CATALOGUE
    from funasr_cli.models.search import find_folder
    from funasr_cli.models.store import folder_of, is_present

    entry = CATALOGUE.get(model)
    if entry is None or Path(model).is_dir():
        parameter = next(it for it in context.command.params if it.name == "model")
        path: Path = EXISTING.convert(model, parameter, context)
        return find_folder(path).folder
    if not is_present(entry):
        raise ModelError(f"the model {entry.name} is not on this machine", hint=entry.install)
    return folder_of(entry)


def _measure(model: str | None, recording: Path | None, *, as_object: bool) -> None:
    from funasr_cli.doctor.speed.measure import measure_speed
    from funasr_cli.doctor.speed.report import speed_as_json, speed_as_text

    speed = measure_speed(model, recording, _tell)
    click.echo(speed_as_json(speed) if as_object else speed_as_text(speed))


def _tell(text: str) -> None:
    """Show progress on a terminal; keep it out of logs."""
    if sys.stderr.isatty():
        click.echo(text, err=True)
