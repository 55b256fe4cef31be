"""Outputs that were overwritten because the file system treated two names as the same file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.files import printable, sha256_of
from funasr_cli.store.database import Database
from funasr_cli.store.entries import KnownInput


@dataclass(frozen=True, slots=True)
class Overwritten:
    """An output of `known` at `path` that now holds what was written to `other` for the recording `by`."""

    known: KnownInput
    path: Path
    other: Path
    by: Path

    def __str__(self) -> str:
        file, other, by = printable(self.path), printable(self.other), printable(self.by)
        return f"its text was overwritten by that of {by}: on this file system, {file} is the same file as {other}"


def find_overwritten(inputs: Iterable[KnownInput], state: Database, folder: Path) -> Iterator[Overwritten]:
    """Find inputs that lost an output to another recording; `folder` is the output folder.

    An output that was deleted or edited does not count as lost.
    """
    for known in inputs:
        found = next(_lost(known, state, folder), None)
        if found is not None:
            yield found


def _lost(known: KnownInput, state: Database, folder: Path) -> Iterator[Overwritten]:
    for key, ours in state.left_by(known):
        path = folder / os.fsdecode(key)  # an absolute key stays as it is
        try:
            present = sha256_of(path)
        except OSError:
            continue
        if present in ours:
            continue
        for other_key, owner in state.holders_of(present):
            other = folder / os.fsdecode(other_key)
            if other_key != key and are_one_file(path, other):
                yield Overwritten(known, path, other, Path(os.fsdecode(owner)))


def are_one_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file.

    Inodes are not enough: some file systems report a different inode for each spelling of a name. But a folder lists
    each file once.
    """
    try:
        if one.samefile(other):
            return True
    except OSError:
        return False
    spellings = zip(_steps(one), _steps(other), strict=False)
    return len(one.parts) == len(other.parts) and any(
        step.name != twin.name and not (_is_listed(step) and _is_listed(twin)) for step, twin in spellings
    )


def _steps(path: Path) -> list[Path]:
    return [*reversed(path.parents), path]


def _is_listed(path: Path) -> bool:
    try:
        return path.name in {entry.name for entry in path.parent.iterdir()}
    except OSError:
        return True  # no evidence to the contrary
