"""One run at a time in an output folder."""

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
    """Hold the lock of the output folder in whose state folder `path` lies.

    If another run has it, wait until the `deadline` (and `tell` whom for), or raise `BusyError`.
    """
    try:
        with locked(path, owner="run", wait=wait, tell=tell, deadline=deadline):
            yield
    except LockHeld as held:
        what, hint = (
            "another run holds this output folder",
            "Wait for it to end with --wait, or use another output folder.",
        )
        if wait:
            what = f"at the deadline, {deadline.text}, another run still holds this output folder"
            hint = "Set a later --deadline, or begin after the other run has ended."
        raise BusyError(f"{what}: {held.holder}", where=path.parent.parent, hint=hint) from held
