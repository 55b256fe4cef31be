"""`funasr-cli hotwords`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from funasr_cli import exit_codes
from funasr_cli.cli.completion import MODELS, words
from funasr_cli.cli.config_file import nearest
from funasr_cli.cli.hotword_file import HotwordFile
from funasr_cli.errors import UsageError
from funasr_cli.files import printable
from funasr_cli.json_paths import json_for_stdout, path_fields
from funasr_cli.package_data import hotword_lists, which_are_taken

if TYPE_CHECKING:
    from funasr_cli.hotwords import HotwordList


@click.group(short_help="List built-in hotwords and check hotword files.")
def hotwords() -> None:
    """Hotword lists: names and terms of your field that `transcribe --hotwords NAME|FILE` listens for."""


@hotwords.command("list", short_help="List the built-in hotword lists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List the built-in hotword lists: name, number of words, file and topic."""
    from funasr_cli.hotwords import read_hotwords  # not needed for --help

    lists = [(name, len(read_hotwords([path]).words), path, _topic(path)) for name, path in hotword_lists().items()]
    if as_json:
        described = [
            {"name": name, "words": count, **path_fields("path", path), "topic": topic}
            for name, count, path, topic in lists
        ]
        click.echo(json_for_stdout({"lists": described}))
        return
    rows = [(name, f"{count} words", printable(path), topic) for name, count, path, topic in lists]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@hotwords.command()
@click.argument("name", shell_complete=words(hotword_lists))
def path(name: str) -> None:
    """Print the path of a built-in list, to read or copy it."""
    lists = hotword_lists()
    if name not in lists:
        raise UsageError(f"no built-in hotword list is called {name!r}", hint=nearest(name, lists))
    click.echo(os.fsencode(lists[name]))


@hotwords.command(short_help="Report mistakes in hotword files.")
@click.argument("files", metavar="NAME|FILE...", nargs=-1, required=True, type=HotwordFile())
@click.option(
    "--model", metavar="NAME|DIR", shell_complete=MODELS, help="Also report words that this model cannot use."
)
def check(files: tuple[Path, ...], model: str | None) -> None:
    """Read hotword files or built-in lists and report mistakes by file and line.

    A hotword file has one word per line, in UTF-8 or GB18030. A weight from 1 to 100 may follow the word; the default
    is 20. A comment begins with # at the start of a line or after a space. Several files count as one list.

    A number after letters is read as a weight, unless the whole is in quotes, the number is 1900 or more, or it is
    needed to tell two words of the list apart (iPhone 15, iPhone 16).

    \b
    新发展格局 40
    一带一路:30
    "Windows 11"

    Exit codes: 0 no warnings; 1 warnings; 2 a file cannot be read; 4 no such model.
    """
    from funasr_cli.hotwords import read_hotwords

    for sentence in which_are_taken(files):
        click.echo(sentence, err=True)
    found = read_hotwords(files)
    warnings = [*found.warnings, *(_of_model(found, model) if model else ())]
    for warning in warnings:
        click.echo(warning)
    count = len(found.words)
    click.echo(f"{count} hotword{'s' * (count != 1)}, {len(warnings) or 'no'} warning{'s' * (len(warnings) != 1)}")
    sys.exit(exit_codes.FAILED if warnings else 0)


def _topic(path: Path) -> str:
    """The topic of a built-in list, from its first line."""
    with path.open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").partition("。")[0]


def _of_model(found: HotwordList, name: str) -> tuple[str, ...]:
    from funasr_cli.models.store import find_model
    from funasr_cli.pipeline.registry import hotword_warnings  # not needed for --help

    return hotword_warnings(find_model(name), found.words)
