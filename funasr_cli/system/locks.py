"""A lock file that one process holds at a time.

The lock is the kernel's (`flock`): it ends with its process, however that dies, and with a reboot, so it cannot become
stale. The content of the file only shows people who holds the lock.
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
"""Seconds between attempts to take a lock."""

NO_DEADLINE = Deadline(None)


class LockHeld(Exception):
    """Another process holds the lock; `holder` describes it in words."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def locked(path: Path, *, owner: str, wait: bool, tell: Tell, deadline: Deadline = NO_DEADLINE) -> Iterator[None]:
    """Hold the lock file `path`; if another `owner` (a run, a pull) holds it, report that through `tell` and wait.

    Without `wait`, or once the `deadline` has passed, raises `LockHeld`. Raises `MachineError` if the file cannot be
    written or locked.
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
            f"the file system does not support locks ({error.strerror})",
            where=path,
            hint="Without a lock, two runs at once would corrupt the record. Use a folder on a local disk, or on a "
            "network file system mounted with lock support.",
        ) from error
    return True


def _sign(descriptor: int, path: Path) -> None:
    """Write the holder into the lock file. If there is no space for that, there is none for a record either."""
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    with writing(path, MachineError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has only just started"
