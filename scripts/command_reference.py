"""Writes the command reference (docs/commands.md) or the man pages (man/*.1) from the help of the program.

Run as `python scripts/command_reference.py docs` or `man`, in the environment of the program.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from funasr_cli import __version__
from funasr_cli.cli import cli
from funasr_cli.cli.help import option_groups

ROOT = Path(__file__).resolve().parent.parent
NAME = "funasr-cli"

Described = list[tuple[str, str]]
"""What is written on the command line, and what it means."""


@dataclass(frozen=True)
class Page:
    """The help of a command. Its text is in paragraphs; those that begin with a backspace are kept line by line."""

    name: str
    summary: str
    usage: str
    paragraphs: tuple[str, ...]
    options: Mapping[str, Described]
    commands: Described


def pages(command: click.Command = cli, name: str = NAME, parent: click.Context | None = None) -> Iterator[Page]:
    """A command and all below it, in the order of the help. Neither the terminal nor the environment matters."""
    context = click.Context(command, parent=parent, info_name=name, **command.context_settings)
    below = {} if not isinstance(command, click.Group) else command.commands
    groups = {title: [it for it in records if "--help" not in it[0]] for title, records in _options(command, context)}
    path = context.command_path
    yield Page(
        path,
        _summary(command),
        f"{path} {' '.join(command.collect_usage_pieces(context))}",
        tuple(inspect.cleandoc(command.help or "").split("\n\n")),
        {title: records for title, records in groups.items() if records},
        [(f"{path} {each}", _summary(other)) for each, other in below.items()],
    )
    for each, other in below.items():
        yield from pages(other, each, context)


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, Described]]:
    groups = option_groups(command, context)
    for title, records in groups.items():
        yield "Options" if len(groups) == 1 else title, records


def _summary(command: click.Command) -> str:
    return command.get_short_help_str(limit=1000).removesuffix(".")


def same_options() -> Mapping[str, str]:
    """Commands with all options of an earlier one, in several groups, and that one: such options are listed once."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for page in pages():
        earlier = first.setdefault(repr(page.options), page.name)
        if earlier != page.name and len(page.options) > 1:
            found[page.name] = earlier
    return found


def _line(paragraph: str, plain: Callable[[str], str], code: Callable[[str], str]) -> str:
    """A paragraph on one line, with what is in backticks as `code` makes it, and the rest as `plain` does."""
    parts = re.split("`(.+?)`", " ".join(paragraph.split()))
    return "".join(code(part) if at % 2 else plain(part) for at, part in enumerate(parts))


def markdown() -> str:
    """The whole reference as one page."""
    lines = ["# Commands", "", "Made from the help of the program by `make docs`: change that, not this page.", ""]
    lines += ["Every command also has `-h`, `--help`.", ""]
    same = same_options()
    lines += [f"- [`{page.name}`](#{_anchor(page.name)}): {_prose(page.summary)}" for page in pages()]
    for page in pages():
        lines += ["", f"## {page.name}", "", "```text", page.usage, "```"]
        for paragraph in page.paragraphs:
            kept = paragraph.removeprefix("\b\n")
            lines += ["", _prose(paragraph)] if kept == paragraph else ["", "```text", kept, "```"]
        if page.name in same:
            other = same[page.name]
            lines += ["", f"The options are those of [`{other}`](#{_anchor(other)})."]
            continue
        for title, records in page.options.items():
            lines += ["", f"**{title}**", "", *(f"- `{written}`: {_prose(text)}" for written, text in records)]
        if page.commands:
            lines += ["", "**Commands**", ""]
            lines += [f"- [`{name}`](#{_anchor(name)}): {_prose(text)}" for name, text in page.commands]
    return "\n".join(lines) + "\n"


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _prose(paragraph: str) -> str:
    return _line(paragraph, lambda text: re.sub(r"([\\*<~]|\b_|_\b)", r"\\\1", text), "`{}`".format)


def man_pages() -> Mapping[str, str]:
    """The man pages by file name."""
    same = same_options()
    return {f"{_anchor(page.name)}.1": _man_page(page, same.get(page.name)) for page in pages()}


def _man_page(page: Page, same: str | None) -> str:
    title = _anchor(page.name)
    lines = [r".\" Made from the help of the program by `make man`: change that, not this file."]
    lines += [f'.TH {_roff(title.upper())} 1 "" "{NAME} {__version__}" "User Commands"']
    lines += [".nh", ".ad l"]  # so that names of options and variables stay whole
    lines += [".SH NAME", rf"{_roff(title)} \- {_roff(page.summary)}"]
    lines += [".SH SYNOPSIS", rf"\fB{_roff(page.name)}\fR{_roff(page.usage.removeprefix(page.name))}"]
    lines += [".SH DESCRIPTION"]
    for paragraph in page.paragraphs:
        kept = paragraph.removeprefix("\b\n")
        if kept == paragraph:
            lines += [".PP", _roff_prose(paragraph)]
        else:
            lines += [".PP", ".RS 4", ".nf", *map(_roff, kept.splitlines()), ".fi", ".RE"]
    if same:
        lines += [".SH OPTIONS", rf"The options are those of \fB{_roff(_anchor(same))}\fR(1)."]
    elif page.options:
        lines += [".SH OPTIONS"]
        for group, records in page.options.items():
            lines += [] if len(page.options) == 1 else [f".SS {_roff(group)}"]
            for written, text in records:
                lines += [".TP", rf"\fB{_roff(written)}\fR", _roff_prose(text)]
    if page.commands:
        lines += [".SH COMMANDS"]
        for name, text in page.commands:
            lines += [".TP", rf"\fB{_roff(_anchor(name))}\fR(1)", _roff(text)]
    if page.name != NAME:
        lines += [".SH SEE ALSO", rf"\fB{_roff(_anchor(page.name.rpartition(' ')[0]))}\fR(1)"]
    return "\n".join(lines) + "\n"


ROFF = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
"""Characters that would become others."""


def _roff(text: str) -> str:
    escaped = "".join(ROFF.get(char, char) for char in text)
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


def _roff_prose(paragraph: str) -> str:
    return _line(paragraph, _roff, lambda text: rf"\fB{_roff(text)}\fR")


def main(what: str) -> None:
    """Write what the command line asks for."""
    if what == "docs":
        (ROOT / "docs/commands.md").write_text(markdown(), encoding="utf-8")
        return
    folder = ROOT / "man"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.1"):
        path.unlink()
    for name, text in man_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
