"""Orphans: outputs whose recordings were renamed, moved or removed after they were transcribed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from funasr_cli.batch.options import STDIN, InputOptions, OutputOptions
from funasr_cli.errors import NoAudioError, UsageError
from funasr_cli.inputs.scan import scan
from funasr_cli.reporting.display import Display
from funasr_cli.store.opening import has_record, peek_store


def orphans_found(count: int) -> str:
    """The message of a run that has found `count` orphans."""
    of, it = (
        ("1 output belongs to a recording", "it") if count == 1 else (f"{count:,} outputs belong to recordings", "them")
    )
    return f"{of} no longer there (removed, moved or renamed); to list {it}, add --list-orphans to this command"


def list_orphans(inputs: InputOptions, outputs: OutputOptions, display: Display) -> None:
    """Print the absolute paths of orphans, as the bytes of the file system, one per line. Changes nothing.

    Recordings that were moved together with their tree are recognised, as in a run. Raises `UsageError` if the folder
    has no record.
    """
    folder = outputs.folder
    if not has_record(folder):
        hint = "Name the folder of the transcripts with -o."
        raise UsageError("no run has written to this folder", where=folder, hint=hint)
    named = [path for path in inputs.paths if path != STDIN]
    found = scan(named, folder, replace(inputs.selection, include=(), exclude=()))  # a filtered recording is not gone
    with peek_store(folder, beside=outputs.beside) as store:
        for where, why in found.problems:
            if os.path.lexists(where) or not store.knows(Path(where)):  # a known folder may be gone
                raise NoAudioError(f"{why}; recordings there would be listed as gone", where=where)
        paths = [os.fsencode(path) for path in store.orphans(found.sources)]
    for path in paths:
        click.echo(path.replace(b"\n", b"\\n"))
    if broken := sum(b"\n" in path for path in paths):
        contain = "contains a line feed" if broken == 1 else "contain line feeds"
        display.warn(f"warning: {broken} of these paths {contain}, printed as \\n")
