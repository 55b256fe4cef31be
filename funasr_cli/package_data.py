"""What ships with the program, by name: hotword lists and configuration files.

They lie in data/. In a checkout its folders are links to those at the top, which are the ones to edit; a wheel and an
sdist hold copies of the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from funasr_cli import __version__
from funasr_cli.files import printable

DATA = Path(__file__).with_name("data")


def hotword_lists() -> dict[str, Path]:
    """The files of the hotword lists by name, in the order of the alphabet."""
    return _by_name("hotwords/*.txt")


def configs() -> dict[str, Path]:
    """The configuration files by name, in the order of the alphabet."""
    return _by_name("configs/*.yaml")


def _by_name(pattern: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted(DATA.glob(pattern))}


def file_or_list(written: str, path: Path) -> Path:
    """The hotword file that is meant by what is `written`: the one at `path`, else the list of that name.

    Without either it is `path`, for whoever reads it to say that it is missing. A folder is no hotword file.
    """
    listed = hotword_lists().get(written)
    return path if listed is None or (os.path.lexists(path) and not os.path.isdir(path)) else listed


def which_are_taken(paths: Iterable[Path]) -> Iterator[str]:
    """A sentence on each hotword file that is a list that ships, or has the name of one."""
    lists = hotword_lists()
    for path in paths:
        if path == lists.get(path.stem):
            yield f"hotwords {path.stem}: the list that ships with funasr-cli {__version__}, {printable(path)}"
        elif path.name in lists:
            yield f"hotwords {printable(path)}: this file, not the list {path.name} that ships with funasr-cli"
