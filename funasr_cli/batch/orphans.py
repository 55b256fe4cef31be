"""Outputs whose recordings are gone: they were renamed, moved or removed after they had been transcribed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from funasr_cli.batch.options import STDIN, InputOptions, OutputOptions
from funasr_cli.errors import NoAudioError, UsageError
from funasr_cli.inputs.scan import scan
from funasr_cli.reporting.display import Display
from funasr_cli.store.output_store import has_record, peek_store


def orphans_found(count: int) -> str:
    """What a run says of `count` of them."""
    of, it = ("1 output is of a recording", "it") if count == 1 else (f"{count:,} outputs are of recordings", "them")
    return f"{of} no longer there (removed, moved or renamed); with --list-orphans this command lists {it}"


def list_orphans(inputs: InputOptions, outputs: OutputOptions, display: Display) -> None:
    """Print their absolute paths, as the file system has them, one a line. Nothing is changed.

    Recordings that were moved with their tree are found again as a run would find them. Raises `UsageError` if the
    folder has no record.
    """
    folder = outputs.folder
    if not has_record(folder):
        hint = "Name the folder that the outputs were written into, with -o."
        raise UsageError("no run has written into this folder", where=folder, hint=hint)
    named = [path for path in inputs.paths if path != STDIN]
    found = scan(named, folder, replace(inputs.selection, include=(), exclude=()))  # what is left out is not gone
    with peek_store(folder, beside=outputs.beside) as store:
        for where, why in found.problems:
            if os.path.lexists(where) or not store.knows(Path(where)):  # a folder that was removed is no problem
                raise NoAudioError(f"{why}; recordings that moved there would count as gone", where=where)
        paths = [os.fsencode(path) for path in store.orphans(found.sources)]
    for path in paths:
        click.echo(path.replace(b"\n", b"\\n"))
    if broken := sum(b"\n" in path for path in paths):
        hold = "holds a line feed" if broken == 1 else "hold line feeds"
        display.warn(f"warning: {broken} of these paths {hold}, which is printed as \\n")
