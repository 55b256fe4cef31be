"""Path patterns: --include and --exclude, and names of recordings that no shell has expanded."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import dropwhile
from pathlib import Path, PurePath

from funasr_cli.walk import walk

ANY_DEPTH = "**/"


def matches(relative: PurePath, pattern: str) -> bool:
    """Whether a pattern matches a path relative to the searched folder, or one of its parent folders.

    `*` matches anything, including slashes, and `**/` may match no folder at all. A pattern without a slash also
    matches a single name at any depth.
    """
    pattern = pattern.removeprefix("./").rstrip("/")
    places = [str(place) for place in (relative, *relative.parents[:-1])]
    if "/" not in pattern:
        places += relative.parts
    return any(fnmatchcase(place, each) for each in {pattern, pattern.replace(ANY_DEPTH, "")} for place in places)


class PathFilter:
    """Accepts recordings that match an include pattern, if there are any, and no exclude pattern."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = include
        self._exclude = exclude
        self._used: set[tuple[str, str]] = set()

    def takes(self, relative: PurePath) -> bool:
        """Whether this recording is accepted; notes which patterns matched."""
        included = self._fits(relative, "--include", self._include)
        return (included or not self._include) and not self.excludes(relative)

    def would_take(self, relative: PurePath) -> bool:
        """Whether a file would be accepted if it were a recording; does not count as a match of an include pattern."""
        included = not self._include or any(matches(relative, pattern) for pattern in self._include)
        return included and not self.excludes(relative)

    def excludes(self, relative: PurePath) -> bool:
        """Whether this path, and everything below it, is excluded."""
        return self._fits(relative, "--exclude", self._exclude)

    def _fits(self, relative: PurePath, option: str, patterns: Sequence[str]) -> bool:
        fitting = {(option, pattern) for pattern in patterns if matches(relative, pattern)}
        self._used |= fitting
        return bool(fitting)

    @property
    def unused(self) -> list[tuple[str, str]]:
        """Patterns that have matched nothing: (option, pattern)."""
        given = [*(("--include", pattern) for pattern in self._include)]
        given += [("--exclude", pattern) for pattern in self._exclude]
        return [each for each in dict.fromkeys(given) if each not in self._used]


def expand(pattern: str) -> list[str]:
    """Expand a glob pattern as a shell does. Links are followed, but below `**` no folder is entered twice."""
    return sorted(set(_expand(pattern)))


def _expand(pattern: str) -> Iterator[str]:
    head, tail = _halves(pattern)
    if tail is None:
        yield from glob.iglob(pattern)
        return
    bases = list(map(Path, glob.iglob(head) if head else [""]))
    if not tail:  # everything below, which naming the folder means anyway
        yield from map(str, bases)
        return
    entered: set[tuple[int, int]] = set()
    for base in bases:
        for place, _ in walk(base, entered=entered):  # folders that cannot be listed are skipped, as shells do
            yield from _expand(str(Path(glob.escape(str(base / place)), tail)))


def _halves(pattern: str) -> tuple[str, str | None]:
    """The parts of a pattern before and after its first `**`; None for the latter if there is no `**`."""
    parts = pattern.split("/")
    if "**" not in parts:
        return pattern, None
    index = parts.index("**")
    behind = dropwhile(lambda part: part == "**", parts[index:])
    return "".join(f"{part}/" for part in parts[:index]), "/".join(behind)
