"""What was named on the command line, and the part of its path under which its recordings go."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from funasr_cli.inputs.globs import expand


def existing(named: Iterable[str], problems: list[tuple[Path, str]]) -> Iterator[Path]:
    """Each file and folder that is named, and what patterns stand for; `problems` gets what is neither, and why."""
    for name in named:
        path = Path(name)
        if os.path.lexists(path):
            yield path
        elif matches := expand(name):
            yield from map(Path, matches)
        else:
            problems.append((path, "no such file or folder"))


def prefixes(roots: Sequence[Path]) -> list[PurePath]:
    """For each root the shortest end of its path that no other root shares; nothing for a folder that is alone."""
    if len(roots) == 1 and roots[0].is_dir():
        return [PurePath()]
    paths = [PurePath(os.path.abspath(root)).parts[1:] for root in roots]
    lengths: dict[tuple[str, ...], int] = {}
    left, length = set(paths), 1
    while left:
        ends = Counter(parts[-length:] for parts in left)
        settled = {parts for parts in left if length >= len(parts) or ends[parts[-length:]] == 1}
        lengths.update(dict.fromkeys(settled, length))
        left -= settled
        length += 1
    return [PurePath(*parts[-lengths[parts] :]) for parts in paths]
