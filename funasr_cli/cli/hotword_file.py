"""The type of options and arguments that name a hotword file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from funasr_cli.package_data import file_or_list


class HotwordFile(click.Path):
    """The path of a hotword file, or the name of a built-in list if no file has that name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the file's path. A `Path` has been resolved before and is returned unchanged."""
        return file_or_list(value, Path(value)) if isinstance(value, str) else Path(value)
