"""Finds the record of each source, whatever path led to it this time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from funasr_cli.inputs.folders import Identity, identity_of
from funasr_cli.inputs.scan import Source
from funasr_cli.store.database import Database
from funasr_cli.store.entries import FileStat, KnownInput


class Matching:
    """The known input of each source in `inputs` (None for a new one); `moves` are inputs to be recorded at a new path.

    An input is recognised by the path that was named (earlier versions recorded it unresolved), by that path with links
    resolved, by its folder and name wherever the folder is mounted, or by its content at the same place in a tree that
    was moved. A hard link has its own name and counts as another recording.
    """

    def __init__(self, sources: Sequence[Source], state: Database) -> None:
        self.known = state.inputs()
        self.moves: list[tuple[KnownInput, Path]] = []
        self._state = state
        self._claimed: set[int] = set()
        self._identity_of, self._real_path = cache(identity_of), cache(os.path.realpath)
        self.inputs = [self._by_path(source, named) for source, named in zip(sources, _named(sources), strict=True)]
        strange = [index for index, known in enumerate(self.inputs) if known is None]
        if strange and self.known:
            twins = _by_folder([sources[index] for index in strange], self.known.values())
            for index in strange:
                self.inputs[index] = self._elsewhere(sources[index], twins)

    def _by_path(self, source: Source, named: bytes) -> KnownInput | None:
        real = os.fsencode(source.identity)
        known = self.known.get(named) or self.known.get(real)
        if known is not None:
            self._claimed.add(known.id)
            if real not in self.known:
                self.moves.append((known, source.identity))
        return known

    def _elsewhere(self, source: Source, twins: Mapping[tuple[Identity, bytes], KnownInput]) -> KnownInput | None:
        """The input of a source whose path is not on record."""
        if source.is_stdin:
            return None
        folder, name = os.path.split(os.fsencode(source.identity))
        identity = self._identity_of(folder)
        twin = twins.get((identity, name)) if identity is not None else None
        if twin is not None and twin.id not in self._claimed:
            was_at = os.path.dirname(twin.raw_path)
            was_real = self._real_path(was_at) == was_at
            if was_real or _looks_same(twin, source.path):
                self._claimed.add(twin.id)
                if not was_real:  # the link may lead elsewhere another day
                    self.moves.append((twin, source.identity))
                return twin
        for known in self._state.gone_from(source.relative):
            if known.id not in self._claimed and _same_content(known, source.path):
                self._claimed.add(known.id)
                self.moves.append((known, source.identity))
                return known
        return None


def _named(sources: Iterable[Source]) -> Iterator[bytes]:
    """The absolute path of each source, with links unresolved."""
    folders: dict[Path, str] = {}
    for source in sources:
        folder = source.folder.path
        if folder not in folders:
            # If .. follows a link, abspath gives another folder than the one the path leads to.
            folders[folder] = os.path.realpath(folder) if ".." in folder.parts else os.path.abspath(folder)
        yield os.fsencode(os.path.join(folders[folder], source.name))


def _by_folder(sources: Iterable[Source], inputs: Iterable[KnownInput]) -> Mapping[tuple[Identity, bytes], KnownInput]:
    """Inputs with the file name of a source, by the identity of their folder and their name."""
    names = {os.fsencode(source.identity.name) for source in sources}
    identities: dict[bytes, Identity | None] = {}
    found: dict[tuple[Identity, bytes], KnownInput] = {}
    for known in inputs:
        folder, name = os.path.split(known.raw_path)
        if name not in names:
            continue
        if folder not in identities:
            identities[folder] = identity_of(folder)
        if (identity := identities[folder]) is not None:
            found.setdefault((identity, name), known)
    return found


def _looks_same(known: KnownInput, path: Path) -> bool:
    """Whether a file is unchanged since the input was processed; true if it never was."""
    try:
        return known.stat is None or FileStat.of(path) == known.stat or _same_content(known, path)
    except OSError:
        return False


def _same_content(known: KnownInput, path: Path) -> bool:
    try:
        return known.is_in(path, FileStat.of(path))
    except OSError:
        return False
