"""Names that a file system may treat as the same: Talk.txt and talk.txt on exFAT, two normal forms of é on HFS+."""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

from funasr_cli.files import temporary_beside

_FOLDER_END = re.compile(r"[. ]+(?=/)")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")

PROBE = "Aé"
"""Prefix of the name of a probe file."""

PROBE_ALIASES = (("A", "a"), ("é", "É"), ("é", "e\u0301"))
"""Letters of the probe and others that a file system may equate with them: case, non-ASCII case, normal form."""


def alias_key(path: str) -> str:
    """Key that is equal for all paths that any file system might treat as the same.

    It ignores case (exFAT, NTFS, ext4 with casefold), normal form (HFS+, ZFS), invisible characters (ext4 with
    casefold), and dots and spaces at the end of folder names (FAT, SMB). All bytes that are not UTF-8 count as equal.
    """
    if path.isascii():
        key = path.lower()
    else:
        plain = _INVISIBLE.sub("", _NOT_UTF_8.sub("\ufffd", path))
        # Upper case first: some letters, such as ı and ſ, match others only in upper case.
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", plain).upper().casefold())
    return _FOLDER_END.sub("", key) if "./" in key or " /" in key else key


class FileSystems:
    """Tests whether file systems distinguish names that have the same `alias_key`.

    The type of a file system does not say: a network file system depends on its server, and ext4 has a setting for each
    folder. So a probe file is created, looked up under other names, and removed. This happens once for each folder, or
    once for a file system that does not distinguish names. Without `may_write`, or if no file can be created, the
    answer is no, which costs only a longer name.
    """

    def __init__(self, *, may_write: bool = True) -> None:
        self._may_write = may_write
        self._exact: set[Path] = set()
        self._inexact: set[int] = set()

    def tell_apart(self, folder: Path) -> bool:
        """Whether the file system of `folder`, which need not exist yet, distinguishes such names."""
        if not self._may_write:
            return False
        try:
            folder = existing_parent(folder)
            device = folder.stat().st_dev
            if folder in self._exact or device in self._inexact:
                return folder in self._exact
            if _tells_apart(folder):
                self._exact.add(folder)
            else:
                self._inexact.add(device)
        except OSError:
            return False
        return folder in self._exact


def existing_parent(folder: Path) -> Path:
    """The folder itself, or its nearest parent that exists."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _tells_apart(folder: Path) -> bool:
    """Probe a folder. Raises `OSError` if no file can be created."""
    probe = temporary_beside(folder / _in_utf8(PROBE))
    with probe.open("xb"):
        pass
    try:
        name = probe.name
        aliases = [name.replace(_in_utf8(one), _in_utf8(other)) for one, other in PROBE_ALIASES]
        others = [*aliases, f"{name}.", f"{name} "]
        return not any(os.path.lexists(folder / other) for other in others)
    finally:
        with suppress(OSError):
            probe.unlink()


def _in_utf8(name: str) -> str:
    """The name whose bytes on the disk are these letters in UTF-8, whatever the locale."""
    return os.fsdecode(name.encode())
