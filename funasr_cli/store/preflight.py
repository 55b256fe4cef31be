"""Checks that outputs can be written, before any work is wasted."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from funasr_cli.errors import MachineError, OutputError
from funasr_cli.files import printable, temporary_beside
from funasr_cli.store.aliases import existing_parent

SHORT_PATH_BYTES = 140
"""Bytes up to which no name in a path can be too long; eCryptfs has the lowest limit, 143 bytes."""

RARELY_TAKEN = frozenset('"*:<>?|\\').union(map(chr, range(1, 32)))
"""Characters that some file systems do not allow in names."""

NOT_UTF_8 = frozenset(map(chr, range(0xDC80, 0xDD00)))
"""Surrogates for bytes that are not UTF-8, which some file systems do not allow either."""


def make_folder(folder: Path, name: str, *, beside: bool) -> Path:
    """Create the folder `name` in the output folder `folder`. Raises `MachineError` if that fails."""
    try:
        (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why, hint = error.strerror, "Choose a folder that you can write to with -o DIR."
        for place in (*reversed(folder.parents), folder):
            if link := dead_link(place):
                why = f"{printable(place)} {link}"
                hint = "Create that folder, mount its disk, or choose another one with -o DIR."
            elif os.path.exists(place) and not os.path.isdir(place):
                why, hint = f"{printable(place)} is not a folder", "Choose another one with -o DIR."
        if beside:
            hint += " With --beside, state and manifest are still kept there."
        raise MachineError(f"the output folder cannot be created: {why}", where=folder, hint=hint) from error
    return folder / name


def dead_link(path: Path) -> str | None:
    """A description of a broken link, to follow its name; None for anything else."""
    if os.path.islink(path) and not os.path.exists(path):  # both are false if permission is denied
        return f"is a link to {printable(path.readlink())}, which does not exist"
    return None


class WriteCheck:
    """Tests whether outputs can be written to their folders: each folder and each rare character once."""

    def __init__(self, *, beside: bool) -> None:
        self._hint = "Make the folder writable, or choose another one with -o DIR."
        if beside:
            self._hint = (
                "With --beside, outputs go next to their recordings. Make the folder writable, or omit --beside and "
                "choose another folder with -o DIR."
            )
        self._folders: dict[Path, OutputError | None] = {}
        self._characters: dict[tuple[int, str], bool] = {}

    def refusal(self, recording: Path, target: Path, formats: Sequence[str]) -> OutputError | None:
        """Why the outputs of a recording, `target` plus each extension, cannot be written; None if they can."""
        folder = existing_parent(target.parent)
        if folder not in self._folders:
            self._folders[folder] = self._try_folder(folder)
        if (error := self._folders[folder]) is not None:
            return error
        path = target.with_name(f"{target.name}.{max(formats, key=len)}")
        for name in path.relative_to(folder).parts:
            if why := self._refuses(folder, name, path):
                hint = "Rename the recording or its folder, or choose a folder on another disk with -o DIR."
                return OutputError(f"no output can be named {printable(name)}: {why}", where=recording, hint=hint)
        return None

    def _try_folder(self, folder: Path) -> OutputError | None:
        try:
            _try_to_make(folder / "test")
        except OSError as error:
            why = dead_link(folder) or f"cannot be written to: {error.strerror}"
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            hint = "Free some space there, or choose another folder with -o DIR." if full else self._hint
            return OutputError(why, where=folder, hint=hint)
        return None

    def _refuses(self, folder: Path, name: str, path: Path) -> str | None:
        """Why the file system does not allow a name; None if it does."""
        if len(os.fsencode(path)) > SHORT_PATH_BYTES:
            for place in (folder / name, path):
                try:
                    place.lstat()
                except OSError as error:
                    if error.errno == errno.ENAMETOOLONG:
                        return f"the name has {len(os.fsencode(name))} bytes, too many for the file system"
        refused = [printable(char) for char in sorted(RARELY_TAKEN.intersection(name)) if not self._takes(folder, char)]
        if (odd := NOT_UTF_8.intersection(name)) and not self._takes(folder, min(odd)):
            refused.append("bytes that are not UTF-8")
        return f"the file system does not allow {' '.join(refused)} in names" if refused else None

    def _takes(self, folder: Path, char: str) -> bool:
        key = folder.stat().st_dev, char
        if key not in self._characters:
            self._characters[key] = True
            try:
                _try_to_make(folder / char)
            except OSError:
                self._characters[key] = False
        return self._characters[key]


def _try_to_make(path: Path) -> None:
    """Create and remove a file with a name like that of `path`. Raises `OSError` if that fails."""
    trial = temporary_beside(path)
    try:
        trial.open("xb").close()
    finally:
        with suppress(OSError):
            trial.unlink()
