"""Names that a file system may take for one: Talk.txt and talk.txt on exFAT, two normal forms of é on HFS+."""

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
"""What a probe's name begins with."""

PROBE_ALIASES = (("A", "a"), ("é", "É"), ("é", "e\u0301"))
"""Letters of it that a file system may take for others: because of case, of case beyond ASCII, of their normal form."""


def alias_key(path: str) -> str:
    """What is left of a path if no more is told apart than on the least exact file system.

    That is without case (exFAT, NTFS, ext4 with casefold), normal form (HFS+, ZFS), invisible characters (ext4 with
    casefold), and dots and spaces at the end of folders (FAT, SMB); bytes that are no UTF-8 are all the same.
    """
    if path.isascii():
        key = path.lower()
    else:
        plain = _INVISIBLE.sub("", _NOT_UTF_8.sub("\ufffd", path))
        # Upper case first: some letters, such as ı and ſ, have only that in common with others.
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", plain).upper().casefold())
    return _FOLDER_END.sub("", key) if "./" in key or " /" in key else key


class FileSystems:
    """Finds out whether file systems tell names apart that have the same `alias_key`.

    Their types do not tell: what a network file system does is up to its server, and ext4 has a switch for it in each
    folder. So a file is made, looked for under other names, and removed: once for each folder, or file system if it
    does not tell names apart. Without `may_write`, and if no file can be made, the answer is no, which costs nothing
    but a longer name.
    """

    def __init__(self, *, may_write: bool = True) -> None:
        self._may_write = may_write
        self._exact: set[Path] = set()
        self._inexact: set[int] = set()

    def tell_apart(self, folder: Path) -> bool:
        """Whether the one on which `folder` lies, or will lie, does."""
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
    """The folder itself, or the nearest one above it that is there."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _tells_apart(folder: Path) -> bool:
    """Raises `OSError` if no file can be made."""
    probe = temporary_beside(folder / _in_utf8(PROBE))
    with probe.open("xb"):
        pass
    try:
        name = probe.name
        aliases = [name.replace(_in_utf8(one), _in_utf8(other), 1) for one, other in PROBE_ALIASES]
        others = [*aliases, f"{name}.", f"{name} "]
        return not any(os.path.lexists(folder / other) for other in others)
    finally:
        with suppress(OSError):
            probe.unlink()


def _in_utf8(name: str) -> str:
    """The name that has these letters on the disk, whatever the locale makes of them."""
    return os.fsdecode(name.encode())
