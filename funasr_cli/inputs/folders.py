"""The identity of a folder, whatever path leads to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeAlias

Identity: TypeAlias = tuple[int, int]
"""(device, inode): equal for a folder that is mounted in two places."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: its path with links resolved, the number of `links` in the path that led to it, and its identity.

    `identity` is None if the folder does not exist.
    """

    path: str
    links: int
    identity: Identity | None

    @property
    def key(self) -> Identity | str:
        """Key that is the same under every path to the folder."""
        return self.identity or self.path


class Folders:
    """Looks up each folder once."""

    def __init__(self) -> None:
        self._known: dict[str, Folder] = {}

    def __getitem__(self, path: str) -> Folder:
        """The folder to which a path leads."""
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._look(path)
        return found

    def _look(self, path: str) -> Folder:
        parent = self._known.get(os.path.dirname(path) or os.curdir)
        if parent is None or os.path.basename(path) in ("", ".", "..") or os.path.islink(path):
            real = os.path.realpath(path)
            if real.startswith("/proc/"):  # for a file passed as a descriptor, the path would name the process
                real = os.path.abspath(path)
            return Folder(real, _links_in(path), identity_of(path))
        return Folder(os.path.join(parent.path, os.path.basename(path)), parent.links, identity_of(path))


def identity_of(path: bytes | str | os.PathLike[str]) -> Identity | None:
    """The identity of the file or folder to which a path leads; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _links_in(path: str) -> int:
    """How many parts of a path are links, counting those of the current folder if it is relative."""
    count, path = 0, os.path.abspath(path)
    while path != (parent := os.path.dirname(path)):
        count += os.path.islink(path)
        path = parent
    return count
