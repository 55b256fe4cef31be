"""What would keep outputs from being written, found out before the work is done for nothing."""

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
"""A path of this length has no name that is too long; eCryptfs, which takes the shortest, ends at 143 bytes."""

RARELY_TAKEN = frozenset('"*:<>?|\\').union(map(chr, range(1, 32)))
"""Characters that some file systems do not take in names."""

NOT_UTF_8 = frozenset(map(chr, range(0xDC80, 0xDD00)))
"""What stands for bytes that are no UTF-8, which some do not take either."""


def make_folder(folder: Path, name: str, *, beside: bool) -> Path:
    """The folder `name` in the output folder `folder`. Raises `MachineError` if they cannot be made."""
    try:
        (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why, hint = error.strerror, "Name one that you may write to with -o DIR."
        for place in (*reversed(folder.parents), folder):
            if link := dead_link(place):
                why = f"{printable(place)} {link}"
                hint = "Make that folder or mount its disk, or name another one with -o DIR."
            elif os.path.exists(place) and not os.path.isdir(place):
                why, hint = f"{printable(place)} is not a folder", "Name another one with -o DIR."
        if beside:
            hint += " State and manifest are kept there with --beside, too."
        raise MachineError(f"the output folder cannot be made: {why}", where=folder, hint=hint) from error
    return folder / name


def dead_link(path: Path) -> str | None:
    """What is to be said of a link that leads nowhere; None for anything else."""
    if os.path.islink(path) and not os.path.exists(path):  # these say no if it may not be looked at
        return f"is a link to {printable(path.readlink())}, which is not there"
    return None


class WriteCheck:
    """Tries whether outputs can be written where they are to go: each folder once, and each rare character."""

    def __init__(self, *, beside: bool) -> None:
        self._hint = "Have the folder made writable, or name another one with -o DIR."
        if beside:
            self._hint = (
                "With --beside, outputs go next to their recordings. Have the folder made writable, or leave out "
                "--beside and name another one with -o DIR."
            )
        self._folders: dict[Path, OutputError | None] = {}
        self._characters: dict[tuple[int, str], bool] = {}

    def refusal(self, recording: Path, target: Path, formats: Sequence[str]) -> OutputError | None:
        """Why the outputs of a recording, `target` with the formats' endings, cannot be written; None if they can."""
        folder = existing_parent(target.parent)
        if folder not in self._folders:
            self._folders[folder] = self._try_folder(folder)
        if (error := self._folders[folder]) is not None:
            return error
        path = target.with_name(f"{target.name}.{max(formats, key=len)}")
        for name in path.relative_to(folder).parts:
            if why := self._refuses(folder, name, path):
                hint = "Give the recording, or its folder, another name, or name a folder on another disk with -o DIR."
                return OutputError(f"no output can be called {printable(name)}: {why}", where=recording, hint=hint)
        return None

    def _try_folder(self, folder: Path) -> OutputError | None:
        try:
            _try_to_make(folder / "test")
        except OSError as error:
            why = dead_link(folder) or f"cannot be written to: {error.strerror}"
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            hint = "Make room there, or name another folder with -o DIR." if full else self._hint
            return OutputError(why, where=folder, hint=hint)
        return None

    def _refuses(self, folder: Path, name: str, path: Path) -> str | None:
        """Why a file system does not take a name, if it does not."""
        if len(os.fsencode(path)) > SHORT_PATH_BYTES:
            for place in (folder / name, path):
                try:
                    place.lstat()
                except OSError as error:
                    if error.errno == errno.ENAMETOOLONG:
                        return f"with {len(os.fsencode(name))} bytes it is too long for the file system"
        refused = [printable(char) for char in sorted(RARELY_TAKEN.intersection(name)) if not self._takes(folder, char)]
        if (odd := NOT_UTF_8.intersection(name)) and not self._takes(folder, min(odd)):
            refused.append("bytes that are not UTF-8")
        return f"the file system does not take {' '.join(refused)} in names" if refused else None

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
    """Make and remove a file with a name like that of `path`. Raises `OSError` if that is not possible."""
    trial = temporary_beside(path)
    try:
        trial.open("xb").close()
    finally:
        with suppress(OSError):
            trial.unlink()
