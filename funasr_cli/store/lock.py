"""One run at a time in an output folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import BusyError
from funasr_cli.system.locks import LockHeld, locked


@contextmanager
def folder_lock(path: Path, *, wait: bool, tell: Tell) -> Iterator[None]:
    """Hold the lock of the output folder in whose state folder `path` lies.

    If another run has it, wait (and `tell` whom for) or raise `BusyError`.
    """
    try:
        with locked(path, owner="run", wait=wait, tell=tell):
            yield
    except LockHeld as held:
        raise BusyError(
            f"another run holds this output folder: {held.holder}",
            where=path.parent.parent,
            hint="Wait for it to end with --wait, or use another output folder.",
        ) from held
