"""Built-in hotword lists and configuration files, by name.

They are in data/. In a checkout, the folders there are links to the top-level folders, which are the ones to edit; a
wheel and an sdist contain copies.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from funasr_cli import __version__
from funasr_cli.files import printable

DATA = Path(__file__).with_name("data")


def hotword_lists() -> dict[str, Path]:
    """The files of the built-in hotword lists by name, in alphabetical order."""
    return _by_name("hotwords/*.txt")


def configs() -> dict[str, Path]:
    """The built-in configuration files by name, in alphabetical order."""
    return _by_name("configs/*.yaml")


def _by_name(pattern: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted(DATA.glob(pattern))}


def file_or_list(written: str, path: Path) -> Path:
    """Find the hotword file that the user means by `written`: the file at `path`, else the built-in list of that name.

    If neither exists, returns `path`, so that whoever reads it reports it as missing. A folder does not count.
    """
    listed = hotword_lists().get(written)
    return path if listed is None or (os.path.lexists(path) and not os.path.isdir(path)) else listed


def which_are_taken(paths: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence on each hotword file that is a built-in list or shares the name of one."""
    lists = hotword_lists()
    for path in paths:
        if path == lists.get(path.stem):
            yield f"hotwords {path.stem}: the built-in list of funasr-cli {__version__}, {printable(path)}"
        elif path.name in lists:
            yield f"hotwords {printable(path)}: this file, not the built-in list {path.name}"
