"""Folders that a process takes for granted: the one that it is in, the user's home, the one for temporary files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from funasr_cli.errors import MachineError

ANOTHER_FOLDER = "Change to another folder (cd), or name absolute paths, also with -o."


def current_folder_fault() -> str | None:
    """Why no relative path leads anywhere: after `cd /root; sudo -u svc …` it may not be entered. None if it does."""
    try:
        reachable = Path.cwd().is_absolute()  # the kernel says "(unreachable)" of one that was unmounted
        Path().stat()
    except FileNotFoundError:
        return "the current folder was removed"
    except OSError as error:
        return f"the current folder cannot be entered: {error.strerror}"
    return None if reachable else "the current folder was unmounted"


def leave_unusable_folder() -> None:
    """Go where a process can be, if the current folder is not such a place. From there no relative path is right."""
    if current_folder_fault():
        os.chdir("/")


def check_relative(paths: Iterable[str]) -> None:
    """Raise `MachineError` if one of `paths` is relative, and no relative path leads anywhere."""
    for path in paths:
        if not Path(path).is_absolute() and (fault := current_folder_fault()):
            raise MachineError(fault, hint=f"{path} would be in it. {ANOTHER_FOLDER}")


def expand_home(path: str) -> Path:
    """The path with the home folder in place of a leading `~`. Raises `MachineError` if this user has none."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise MachineError("there is no home folder for the ~ in it", where=path, hint="Write it out.") from error


def temporary_folder() -> Path | None:
    """The folder for temporary files; None if there is none that can be written."""
    import tempfile  # --help can do without

    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return None
