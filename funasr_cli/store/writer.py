"""The thread that keeps the record while the parent goes on dispatching windows.

Each transaction waits for the disk, for milliseconds or tens of milliseconds. Here they are grouped: everything that is
submitted during one commit goes into the next, and an entry that nobody waits for is held until others join it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, Queue
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from funasr_cli.errors import FunasrError, RecordError
from funasr_cli.store.output_store import OutputStore

Result = TypeVar("Result")
Entry: TypeAlias = Callable[[], Any]
Then: TypeAlias = Callable[[Future[Any]], None]

GROUP_WAIT_S = 0.05
"""Seconds that an entry may wait for others if nobody is waiting for it."""


class StoreWriter:
    """Runs entries on the store in its own thread. A context manager; within it, nobody else may use the store."""

    def __init__(self, store: OutputStore) -> None:
        self._store = store
        # Not a SimpleQueue: in Python 3.10 its `get` can wait forever if the timeout expires as the wait begins.
        self._handed_in: Queue[tuple[Entry, Then, bool] | None] = Queue()
        self._written: deque[tuple[Future[Any], Then]] = deque()
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> StoreWriter:
        self._bell, self._cord = os.pipe()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handed_in.put(None)
        self._thread.join()
        os.close(self._bell)
        os.close(self._cord)

    def fileno(self) -> int:
        """A descriptor that becomes readable when `answer` has something to do."""
        return self._bell

    def submit(
        self, entry: Callable[[], Result], then: Callable[[Future[Result]], None], *, urgent: bool = False
    ) -> None:
        """Queue `entry`, which records something; once it is on the disk, `answer` passes its result to `then`.

        `urgent`: somebody is waiting for it.
        """
        self._handed_in.put((entry, then, urgent))

    def answer(self) -> None:
        """Call `then` for the entries that are on the disk. Raises the error that ended the thread, if any."""
        os.read(self._bell, 4096)
        while self._written:
            outcome, then = self._written.popleft()
            then(outcome)
        if self._broken is not None:
            raise self._broken

    def _work(self) -> None:
        while self._broken is None and (entries := self._take()):
            try:
                with self._store.transaction():
                    done = [(_outcome(entry), then) for entry, then in entries]
                self._written.extend(done)
            except BaseException as error:
                self._broken = error
            os.write(self._cord, b"!")

    def _take(self) -> list[tuple[Entry, Then]]:
        """Wait for an entry and return it with all that follow in time; empty at the end."""
        entries: list[tuple[Entry, Then]] = []
        handed_in = self._handed_in.get()
        until = time.monotonic() + GROUP_WAIT_S
        while handed_in is not None:
            entry, then, urgent = handed_in
            entries.append((entry, then))
            if urgent:
                until = 0.0
            try:
                handed_in = self._handed_in.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return entries
        self._handed_in.put(None)  # for the next time
        return entries


def _outcome(entry: Entry) -> Future[Any]:
    outcome: Future[Any] = Future()
    try:
        outcome.set_result(entry())
    except RecordError:
        raise  # nothing of the transaction will be on the disk
    except FunasrError as error:
        outcome.set_exception(error)
    return outcome
