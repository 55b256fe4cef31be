"""`funasr-cli hotwords`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from funasr_cli.hotwords import HotwordList, read_hotwords


@click.group(short_help="Check hotword files.")
def hotwords() -> None:
    """Hotword files: the names and terms of your field, which `transcribe --hotwords FILE` listens for."""


@hotwords.command(short_help="Tell what is wrong with hotword files.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", metavar="NAME|DIR", help="Also tell what this model cannot do with them.")
def check(files: tuple[Path, ...], model: str | None) -> None:
    """Read hotword files and tell what is wrong with them, by file and line.

    A file has one word a line, in UTF-8 or GB18030, with a weight from 1 to 100 behind it or without (20). What follows
    a # at the start of a line or behind a space is a comment. Several files count as one list.

    \b
    新发展格局 40
    一带一路

    Exit codes: 0 all is well; 1 there are warnings; 2 a file cannot be read; 4 no such model.
    """
    found = read_hotwords(files)
    warnings = [*found.warnings, *(_of_model(found, model) if model else ())]
    for warning in warnings:
        click.echo(warning)
    count = len(found.words)
    click.echo(f"{count} hotword{'s' * (count != 1)}, {len(warnings) or 'no'} warning{'s' * (len(warnings) != 1)}")
    sys.exit(1 if warnings else 0)


def _of_model(found: HotwordList, name: str) -> tuple[str, ...]:
    from funasr_cli.models.store import find_model
    from funasr_cli.pipeline.registry import hotword_warnings  # these load what --help does not need

    return hotword_warnings(find_model(name), found.words)
