"""Names of outputs: which recording owns which."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from itertools import count
from pathlib import Path, PurePath

from funasr_cli.store.aliases import alias_key
from funasr_cli.store.entries import KnownInput


class OutputNames:
    """The names that recordings own; new names are chosen so that no two outputs share a file.

    `tell_apart` says whether a folder (relative to the output folder, or absolute) distinguishes names that have the
    same `alias_key`. With `beside`, names are distinct in the folders of the recordings as well.
    """

    def __init__(self, tell_apart: Callable[[str], bool], *, beside: bool) -> None:
        self._tell_apart = tell_apart
        self._beside = beside
        self._owned: set[str] = set()
        self._owners: dict[str, KnownInput | None] = {}
        self._rivals: dict[int, KnownInput] = {}

    def take(self, known: KnownInput) -> None:
        """Reserve the name of a known input."""
        for place in self._places(os.fsdecode(known.raw_name), os.fsdecode(known.raw_path)):
            self._owned.add(place)
            key = alias_key(place)
            owner = self._owners.setdefault(key, known)
            if owner is not known:
                self._rivals.update((each.id, each) for each in (owner, known) if each is not None)

    def add(self, relative: PurePath, path: Path, *, distinct: bool = False) -> PurePath:
        """Choose a name for the recording at `path` and reserve it.

        `distinct`: the name's `alias_key` differs from all others, whatever the file system.
        """
        name = next(name for name in candidates(relative) if self._is_free(name, path, distinct=distinct))
        for place in self._places(str(name), str(path)):
            self._owned.add(place)
            self._owners.setdefault(alias_key(place), None)
        return name

    def is_clear(self, known: KnownInput) -> bool:
        """Whether no file system confuses the name of an input with that of an earlier one."""
        places = self._places(os.fsdecode(known.raw_name), os.fsdecode(known.raw_path))
        return all(self._owners[alias_key(place)] is known for place in places)

    def is_told_apart(self, known: KnownInput) -> bool:
        """Whether the file system distinguishes the name of an input from others with the same `alias_key`."""
        places = self._places(os.fsdecode(known.raw_name), os.fsdecode(known.raw_path))
        return all(self._tell_apart(os.path.dirname(place)) for place in places)

    @property
    def rivals(self) -> Collection[KnownInput]:
        """Inputs whose names, or places beside recordings, a file system may confuse with those of others."""
        return self._rivals.values()

    def _is_free(self, name: PurePath, path: Path, *, distinct: bool) -> bool:
        for place in self._places(str(name), str(path)):
            if place in self._owned:
                return False
            if alias_key(place) in self._owners and (distinct or not self._tell_apart(os.path.dirname(place))):
                return False
        return True

    def _places(self, name: str, path: str) -> Iterator[str]:
        """Paths that must be distinct, without the extension: relative to the output folder, or absolute."""
        yield name
        if self._beside:
            yield os.path.join(os.path.dirname(path), os.path.basename(name))


def candidates(relative: PurePath) -> Iterator[PurePath]:
    """Possible names for the outputs of a source, the obvious one first."""
    yield relative.with_name(relative.stem)
    yield relative
    for number in count(2):
        yield relative.with_name(f"{relative.name}.{number}")
