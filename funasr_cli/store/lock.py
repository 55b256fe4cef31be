"""The lock of an output folder: one run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import BusyError
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.locks import NO_DEADLINE, LockHeld, locked


@contextmanager
def folder_lock(path: Path, *, wait: bool, tell: Tell, deadline: Deadline = NO_DEADLINE) -> Iterator[None]:
    """Hold the lock file `path`, which is in the state folder of an output folder.

    If another run has the lock: with `wait`, report its holder through `tell` and wait until the `deadline`. Raises
    `BusyError` if the lock is not available.
    """
    try:
        with locked(path, owner="run", wait=wait, tell=tell, deadline=deadline):
            yield
    except LockHeld as held:
        what, hint = (
            "another run is using this output folder",
            "Wait for it to end with --wait, or use another output folder.",
        )
        if wait:
            what = f"another run was still using this output folder at the deadline ({deadline.text})"
            hint = "Set a later --deadline, or start after the other run has ended."
        raise BusyError(f"{what}: {held.holder}", where=path.parent.parent, hint=hint) from held
