"""How hotword files are named in options, arguments and configuration files."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from funasr_cli.package_data import file_or_list, hotword_lists


class HotwordFile(click.Path):
    """The path of a hotword file, or the name of a list that ships: that list, if no file has this name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The file. A `Path` is one already, and not a name that somebody wrote."""
        return file_or_list(value, Path(value)) if isinstance(value, str) else Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The lists that ship, and if none fits, files."""
        names = [CompletionItem(name) for name in hotword_lists() if name.startswith(incomplete)]
        return names or super().shell_complete(ctx, param, incomplete)
