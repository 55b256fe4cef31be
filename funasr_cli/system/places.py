"""Folders that every process relies on: the current folder, the user's home, and the folder for temporary files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from funasr_cli.errors import MachineError

ANOTHER_FOLDER = "Change to another folder (cd), or use absolute paths, for -o as well."


def current_folder_fault() -> str | None:
    """Why the current folder is unusable, e.g. after `cd /root; sudo -u svc …`; None if it is usable."""
    try:
        reachable = Path.cwd().is_absolute()  # the kernel gives "(unreachable)…" for an unmounted folder
        Path().stat()
    except FileNotFoundError:
        return "the current folder was removed"
    except OSError as error:
        return f"the current folder cannot be entered: {error.strerror}"
    return None if reachable else "the current folder was unmounted"


def leave_unusable_folder() -> None:
    """Change to / if the current folder is unusable. Relative paths have no meaning after that."""
    if current_folder_fault():
        os.chdir("/")


def check_relative(paths: Iterable[str]) -> None:
    """Raise `MachineError` if one of `paths` is relative and the current folder is unusable."""
    for path in paths:
        if not Path(path).is_absolute() and (fault := current_folder_fault()):
            raise MachineError(fault, hint=f"{path} is relative to it. {ANOTHER_FOLDER}")


def expand_home(path: str) -> Path:
    """Replace a leading `~` in a path by the home folder. Raises `MachineError` if the user has none."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        hint = "Write the path without ~."
        raise MachineError("~ cannot be expanded: there is no home folder", where=path, hint=hint) from error


def temporary_folder() -> Path | None:
    """The folder for temporary files; None if none is writable."""
    import tempfile  # --help does not need it

    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return None
