"""A command with so many options that its help has them in groups."""

from __future__ import annotations

from typing import Any

import click


class GroupedOption(click.Option):
    """An option with the title of the `group` in which it stands."""

    def __init__(self, *args: Any, group: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.group = group


class GroupedCommand(click.Command):
    """Its help has a section for each group, in the order of the options; what is in no group comes last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                title = param.group if isinstance(param, GroupedOption) else "Other options"
                groups.setdefault(title, []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)
