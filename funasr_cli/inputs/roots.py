"""Files and folders named on the command line, and the part of each path that their outputs keep."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from funasr_cli.inputs.globs import expand


def existing(named: Iterable[str], problems: list[tuple[Path, str]]) -> Iterator[Path]:
    """Yield each file and folder that is named or matches a pattern; the rest goes to `problems` with the reason."""
    for name in named:
        path = Path(name)
        if os.path.lexists(path):
            yield path
        elif matches := expand(name):
            yield from map(Path, matches)
        else:
            problems.append((path, "no such file or folder"))


def prefixes(roots: Sequence[Path]) -> list[PurePath]:
    """For each root, the shortest end of its path that no other root shares; empty for a single folder."""
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
