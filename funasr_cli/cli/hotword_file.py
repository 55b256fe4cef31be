"""The type of options and arguments that name a hotword file."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from funasr_cli.package_data import file_or_list, hotword_lists


class HotwordFile(click.Path):
    """The path of a hotword file, or the name of a built-in list if no file has that name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the file's path. A `Path` has been resolved before and is returned unchanged."""
        return file_or_list(value, Path(value)) if isinstance(value, str) else Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the built-in lists or, if none matches, files."""
        names = [CompletionItem(name) for name in hotword_lists() if name.startswith(incomplete)]
        return names or super().shell_complete(ctx, param, incomplete)
