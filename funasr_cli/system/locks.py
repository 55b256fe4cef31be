"""A lock that is held by one process at a time.

It is the kernel's (`flock`): it ends with its process, however that dies, and with a reboot, so no stale lock can be
left. The file's content only tells people who holds it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import MachineError, writing
from funasr_cli.system.deadline import Deadline

POLL_INTERVAL_S = 0.5
"""Between two looks at a lock that is waited for."""

NO_DEADLINE = Deadline(None)


class LockHeld(Exception):
    """Another process has the lock: `holder`, in words."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def locked(path: Path, *, owner: str, wait: bool, tell: Tell, deadline: Deadline = NO_DEADLINE) -> Iterator[None]:
    """Hold the lock file `path`; if another `owner` (a run, a pull) has it, wait and `tell` whom for.

    Without `wait`, or once the `deadline` has passed, raises `LockHeld`. Raises `MachineError` if the file cannot be
    written, or not locked.
    """
    with writing(path, MachineError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not _try(descriptor, path):
            if not wait:
                raise LockHeld(_holder(descriptor))
            tell(f"waiting for another {owner} to end: {_holder(descriptor)}")
            while not _try(descriptor, path):
                if deadline.passed:
                    raise LockHeld(_holder(descriptor))
                time.sleep(POLL_INTERVAL_S)
        _sign(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise MachineError(
            f"the file system cannot lock ({error.strerror})",
            where=path,
            hint="Two runs at once would spoil each other's record. Put the folder on a local disk, or on a network "
            "file system that is mounted with locks.",
        ) from error
    return True


def _sign(descriptor: int, path: Path) -> None:
    """Put down who holds the lock. If there is no room for that, there is none for a record either."""
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    with writing(path, MachineError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"
