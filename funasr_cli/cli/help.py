"""click commands with grouped options in their help, and suggestions for mistyped commands."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

import click

from funasr_cli.errors import UsageError
from funasr_cli.files import shell_quoted

USUAL = "transcribe"
"""The command that is suggested if recordings are named without a command."""

GLOB_CHARACTERS = frozenset("*?[")


class GroupedOption(click.Option):
    """An option that is listed under the title `group`."""

    def __init__(self, *args: Any, group: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help lists options by group, in their order; options without a group come last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per group."""
        for title, records in option_groups(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl(records)


def option_groups(command: click.Command, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """The options of a command, as (usage, help) pairs by the title of their group."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if record is not None:
            title = param.group if isinstance(param, GroupedOption) else "Other options"
            groups.setdefault(title, []).append(record)
    return groups


class CommandGroup(click.Group):
    """A group that suggests the intended command for an unknown name; for recordings that is `transcribe`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List commands in the order they were added, the most used first."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, but explain an option of `transcribe` that comes before the command."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if any(error.option_name in (*param.opts, *param.secondary_opts) for param in self.commands[USUAL].params):
                what = f"{error.option_name} is an option of {USUAL} and must come after it"
                raise UsageError(what, hint=_did_you_mean(USUAL, *given)) from None
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command named by the first argument. Raises `UsageError` if there is none."""
        name, *others = args
        if self.get_command(ctx, name) is None and not name.startswith("--") and not ctx.resilient_parsing:
            raise UsageError(f"no such command: {shell_quoted(name)}", hint=self._hint(name, others))
        return super().resolve_command(ctx, args)

    def _hint(self, name: str, others: list[str]) -> str:
        if _names_recordings(name):
            return _did_you_mean(USUAL, name, *others)
        if name in ("help", "version"):
            return _did_you_mean(f"--{name}")
        if close := get_close_matches(name, self.commands, n=1):
            return _did_you_mean(close[0], *others)
        return f"Commands: {', '.join(self.commands)}\n  To transcribe: funasr-cli {USUAL} FOLDER|FILE"


def _names_recordings(text: str) -> bool:
    """Whether `text` is an existing path or stdin, or looks like a path or a glob pattern."""
    return text == "-" or os.path.lexists(text) or bool(GLOB_CHARACTERS & {*text}) or "/" in text or "." in text


def _did_you_mean(*arguments: str) -> str:
    return f"Did you mean: {' '.join(['funasr-cli', *map(shell_quoted, arguments)])}?"
