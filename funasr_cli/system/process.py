"""Child processes that die with their parent, and descriptions of how a child died."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver, reduction, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import format_exc
from typing import Any, TypeVar

from funasr_cli.errors import FunasrError, MachineError
from funasr_cli.system.logs import is_debugging, show_debug_log
from funasr_cli.system.places import leave_unusable_folder
from funasr_cli.system.refusals import MORE_PROCESSES, addresses_are_limited, refusal_of
from funasr_cli.system.signals import STOPPING

logger = logging.getLogger(__name__)

ErrorT = TypeVar("ErrorT", bound=BaseException)

# Options of prctl(2).
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15

JOIN_TIMEOUT_S = 5.0

UNKNOWN_EXIT_CODE = 255
"""The exit code that multiprocessing reports if the fork server, which alone knows the real one, is gone."""

CRASH_SIGNALS = {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGSYS,
    signal.SIGXCPU,
}
"""Signals that a process gets for its own mistakes."""


def init_child(name: str) -> None:
    """Set up a new child: show it in `ps` and `top` as `name` (at most 15 characters), and end it with its parent."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_NAME, name.encode())
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # This may be a child of the fork server, which outlives the parent as long as it has children.
    threading.Thread(target=_follow_parent, daemon=True).start()
    if is_debugging():
        show_debug_log()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)


class RemoteTraceback(Exception):
    """The traceback of an error from another process, used as the cause of that error in this one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"

    @classmethod
    def attached(cls, error: ErrorT, text: str) -> ErrorT:
        """The error, with the remote traceback as its cause."""
        if text:
            error.__cause__ = cls(text)
        return error


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """The last message of a child that the system refused a resource."""

    error: FunasrError
    trace: str


class Sealed:
    """Arguments for a child that are unpickled only by `open`, so that the child can report errors to the parent."""

    def __init__(self, content: object) -> None:
        self._content = content

    def __getstate__(self) -> bytes:
        return bytes(reduction.ForkingPickler.dumps(self._content))

    def __setstate__(self, pickled: bytes) -> None:
        self._content = pickled

    def open(self) -> Any:
        """Unpickle the content, in the child."""
        assert isinstance(self._content, bytes)
        return pickle.loads(self._content)  # written by the parent


def _enter(pipe: Connection, sealed: Sealed) -> None:
    try:
        target, arguments = sealed.open()
        target(pipe, *arguments)
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        with suppress(OSError):  # the parent is gone
            pipe.send(ChildFailed(refusal, format_exc()))
        sys.exit(1)


class ChildProcess:
    """A child process and the parent's end of the pipe between them."""

    def __init__(self, method: str, target: Callable[..., None], *arguments: Any) -> None:
        """Start a child. `method` is a start method of multiprocessing.

        `target` is called with the other end of the pipe, then `arguments`. If "forkserver" is not available, the child
        is spawned. Raises `MachineError`.
        """
        leave_unusable_folder()  # a child first changes to the folder of its parent
        if method == "forkserver" and not has_fork_server():
            method = "spawn"
        context = multiprocessing.get_context(method)
        try:
            self.pipe, end = context.Pipe()
            self._process = context.Process(target=_enter, args=(end, Sealed((target, arguments))), daemon=True)  # type: ignore[attr-defined]
            with closing(end), signals_held():
                self._process.start()
        except (OSError, EOFError) as error:
            refusal = refusal_of(error)
            what, hint = (refusal.what, refusal.hint) if refusal else ("the fork server is gone", MORE_PROCESSES)
            raise MachineError(f"no process can be started: {what}", hint=hint) from error

    def send(self, message: object) -> None:
        """Send a message. A child that is already dead is noticed when its pipe is read."""
        with suppress(OSError):
            self.pipe.send(message)

    def kill(self) -> None:
        """Kill the child, whatever it is doing."""
        self._process.kill()

    def join(self, within: float = JOIN_TIMEOUT_S) -> int | None:
        """Close the pipe, which ends a healthy child, and wait `within` seconds before killing it.

        Returns its exit code as multiprocessing reports it; None if it is unknown.
        """
        self.pipe.close()
        self._process.join(within)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(JOIN_TIMEOUT_S)
        code = self._process.exitcode
        return None if code == UNKNOWN_EXIT_CODE else code


@dataclass(frozen=True, slots=True)
class Death:
    """How a child died, and whether that was its own fault rather than somebody else's doing."""

    how: str
    own_fault: bool
    for_memory: bool = False
    """Whether memory ran out, or may have: under a limit (ulimit -v), a runtime that gets no memory crashes."""

    @classmethod
    def of(cls, code: int | None, *, memory_ran_out: bool) -> Death:
        """Describe an exit code; `memory_ran_out`: the kernel has just killed a process because memory ran out."""
        if code is None:
            return cls("exit code unknown", own_fault=False)
        if code >= 0:
            return cls(f"exited with code {code}", own_fault=True)
        name, crashed = signal.Signals(-code).name, -code in CRASH_SIGNALS
        if memory_ran_out and -code == signal.SIGKILL:
            return cls(f"killed by {name}, memory ran out", own_fault=True, for_memory=True)
        return cls(f"killed by {name}", own_fault=crashed, for_memory=crashed and addresses_are_limited())


def out_of_memory_kills() -> int:
    """How many processes the kernel has killed because memory ran out, including in control groups; 0 if unknown."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return 0


@cache
def has_fork_server() -> bool:
    """Whether a fork server runs or can be started; its socket needs a folder for temporary files with a short path."""
    try:
        with signals_held():
            forkserver.ensure_running()
    except OSError as error:
        logger.debug("no fork server, workers are spawned: %s", error)
        return False
    return True


@contextmanager
def signals_held() -> Iterator[None]:
    """Block the signals that end a run, for processes started within this context and their children.

    Ctrl-C and the SIGHUP of a closing terminal go to all of its processes, and a service manager's SIGTERM to all
    processes of a service. Only the parent should receive them, and let the others finish what they are writing.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        resource_tracker.ensure_running()  # otherwise it starts below and leaves the other two signals unblocked
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def preload(*modules: str) -> None:
    """Import modules for "forkserver" children once, before the first child; then each starts in milliseconds."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(modules))
