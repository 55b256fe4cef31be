"""Folders that are complete or absent, however many processes create them at once and however those die."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import is_temporary, temporary_beside

ANOTHER_STORE = "To keep models elsewhere: export FUNASR_CLI_MODELS=DIR"
"""Hint if the model store cannot be read or written."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished folder must be from a killed process; filling one takes minutes at most."""


@contextmanager
def atomic_folder(target: Path, hint: str | None = None) -> Iterator[Path]:
    """Create a folder to be filled; it becomes `target` at the end, or is removed if the body raises.

    Any number of processes may do this at once: each works in its own folder, and the first to finish wins.
    Raises `ModelError` with the `hint` if `target` cannot be written.
    """
    work = temporary_beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        work.mkdir()
        yield work
        _move_into_place(work, target)
    except OSError as error:
        raise ModelError(f"the model cannot be stored here: {error.strerror}", where=target, hint=hint) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move_into_place(work: Path, target: Path) -> None:
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():  # otherwise another process was faster and has verified its content
            raise


def _sweep(folder: Path) -> None:
    """Remove unfinished folders of killed processes."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process is just finishing
            if is_temporary(path) and path.stat().st_mtime < time.time() - ABANDONED_AFTER:
                shutil.rmtree(path, ignore_errors=True)
