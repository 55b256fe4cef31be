"""Patterns for paths: those of --include and --exclude, and those that name recordings where no shell expanded them."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import dropwhile
from pathlib import Path, PurePath

from funasr_cli.walk import walk

ANY_DEPTH = "**/"


def matches(relative: PurePath, pattern: str) -> bool:
    """Whether a pattern fits a path below the folder that is searched, or a folder on the way to it.

    `*` stands for anything, slashes too, and `**/` also for no folder at all. Without a slash it is a name's pattern
    as well, at any depth.
    """
    pattern = pattern.removeprefix("./").rstrip("/")
    places = [str(place) for place in (relative, *relative.parents[:-1])]
    if "/" not in pattern:
        places += relative.parts
    return any(fnmatchcase(place, each) for each in {pattern, pattern.replace(ANY_DEPTH, "")} for place in places)


class PathFilter:
    """Lets recordings through that fit a pattern to include, if there are any, and none to exclude."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = include
        self._exclude = exclude
        self._used: set[tuple[str, str]] = set()

    def takes(self, relative: PurePath) -> bool:
        """Whether this recording goes through."""
        included = self._fits(relative, "--include", self._include)
        return (included or not self._include) and not self.excludes(relative)

    def would_take(self, relative: PurePath) -> bool:
        """Whether it would go through if it were a recording. That is no use for a pattern to include."""
        included = not self._include or any(matches(relative, pattern) for pattern in self._include)
        return included and not self.excludes(relative)

    def excludes(self, relative: PurePath) -> bool:
        """Whether this is not to be taken, nor anything below it."""
        return self._fits(relative, "--exclude", self._exclude)

    def _fits(self, relative: PurePath, option: str, patterns: Sequence[str]) -> bool:
        fitting = {(option, pattern) for pattern in patterns if matches(relative, pattern)}
        self._used |= fitting
        return bool(fitting)

    @property
    def unused(self) -> list[tuple[str, str]]:
        """The patterns that have fitted nothing, with their options."""
        given = [*(("--include", pattern) for pattern in self._include)]
        given += [("--exclude", pattern) for pattern in self._exclude]
        return [each for each in dict.fromkeys(given) if each not in self._used]


def expand(pattern: str) -> list[str]:
    """What a glob pattern stands for, as a shell has it. Links are followed, but below a `**` no folder twice."""
    return sorted(set(_expand(pattern)))


def _expand(pattern: str) -> Iterator[str]:
    head, tail = _halves(pattern)
    if tail is None:
        yield from glob.iglob(pattern)
        return
    bases = list(map(Path, glob.iglob(head) if head else [""]))
    if not tail:  # everything below, which is what a folder stands for
        yield from map(str, bases)
        return
    entered: set[tuple[int, int]] = set()
    for base in bases:
        for place, _ in walk(base, entered=entered):  # as shells do, what cannot be listed is passed over
            yield from _expand(str(Path(glob.escape(str(base / place)), tail)))


def _halves(pattern: str) -> tuple[str, str | None]:
    """What stands before the first part that is `**` and behind it; None where there is no such part."""
    parts = pattern.split("/")
    if "**" not in parts:
        return pattern, None
    index = parts.index("**")
    behind = dropwhile(lambda part: part == "**", parts[index:])
    return "".join(f"{part}/" for part in parts[:index]), "/".join(behind)
