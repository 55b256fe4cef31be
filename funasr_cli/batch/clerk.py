"""The thread that keeps the record while the parent goes on handing out windows.

Each transaction waits for the disk, for milliseconds or for tens of them. Here they wait together: everything that was
handed in while one was being committed goes into the next.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from funasr_cli.batch.record import Record
from funasr_cli.errors import FunasrError, RecordError

Result = TypeVar("Result")
Entry: TypeAlias = Callable[[], Any]
Then: TypeAlias = Callable[[Future[Any]], None]


class Clerk:
    """Use it as a context manager; within, nobody else may use the record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._handed_in: SimpleQueue[tuple[Entry, Then] | None] = SimpleQueue()
        self._written: deque[tuple[Future[Any], Then]] = deque()
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Clerk:
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
        """Can be read from when `answer` has something to do."""
        return self._bell

    def submit(self, entry: Callable[[], Result], then: Callable[[Future[Result]], None]) -> None:
        """Have `entry` put something down; once that is on the disk, `answer` gives what came of it to `then`."""
        self._handed_in.put((entry, then))

    def answer(self) -> None:
        """Answer for the entries that are on the disk. Raises what made the record impossible to keep."""
        os.read(self._bell, 4096)
        while self._written:
            outcome, then = self._written.popleft()
            then(outcome)
        if self._broken is not None:
            raise self._broken

    def _work(self) -> None:
        while self._broken is None and (entries := self._take()):
            try:
                with self._record.together():
                    done = [(_outcome(entry), then) for entry, then in entries]
                self._written.extend(done)
            except BaseException as error:
                self._broken = error
            os.write(self._cord, b"!")

    def _take(self) -> list[tuple[Entry, Then]]:
        """All that was handed in, waiting for the first of it; nothing where there is no more to come."""
        entries = []
        entry = self._handed_in.get()
        while entry is not None:
            entries.append(entry)
            if self._handed_in.empty():
                return entries
            entry = self._handed_in.get()
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
