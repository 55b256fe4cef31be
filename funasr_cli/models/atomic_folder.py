"""Folders that are whole or absent, however many processes make them at once and however they die."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import is_temporary, temporary_beside

ANOTHER_STORE = "Models can live elsewhere: export FUNASR_CLI_MODELS=DIR"
"""A hint where the model store cannot be written."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished folder belongs to a process that was killed; filling one takes minutes at most."""


@contextmanager
def atomic_folder(target: Path, hint: str | None = None) -> Iterator[Path]:
    """A new folder to be filled, which becomes `target` at the end, or vanishes if that raises.

    Any number of processes may do this at once: each works in a folder of its own, and the first to finish wins.
    Raises `ModelError` with the `hint` where `target` cannot be written.
    """
    work = temporary_beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        work.mkdir()
        yield work
        _move_into_place(work, target)
    except OSError as error:
        raise ModelError(f"the model cannot be put here: {error.strerror}", where=target, hint=hint) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move_into_place(work: Path, target: Path) -> None:
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():  # otherwise another process was faster, with content that it has verified
            raise


def _sweep(folder: Path) -> None:
    """Remove what killed processes left."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process is just finishing
            if is_temporary(path) and path.stat().st_mtime < time.time() - ABANDONED_AFTER:
                shutil.rmtree(path, ignore_errors=True)
