"""Streams, whose tasks run in order on a thread of the runtime, and stay in use until the host synchronises."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from acl import _process
from acl._memory import Span
from acl._process import FAULTS, INVALID, OTHER_STREAM, SUCCESS, TIMED_OUT, Context, Process, Resource

PATIENCE = 5.0
"""Seconds after which a wait without a limit counts as endless."""


@dataclass(eq=False)
class Task:
    """A task of a device. `act` runs on the stream's thread and returns a code; `settle` runs when the host knows.

    `reads` and `writes` are the memory that it uses until it is settled, `holds` the resources.
    """

    what: str
    act: Callable[[], int]
    settle: Callable[[], None] = lambda: None
    reads: Sequence[Span] = ()
    writes: Sequence[Span] = ()
    holds: Sequence[Resource] = ()
    stream: Stream | None = None
    over: bool = False

    def uses(self, span: Span, *, writing: bool) -> bool:
        spans = [*self.reads, *self.writes] if writing else self.writes
        return any(span.overlaps(other) for other in spans)


@dataclass(eq=False)
class Mark:
    """The state of an event: all tasks of the stream when it was recorded."""

    tasks: list[Task] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)


class Event(Resource):
    def __init__(self, process: Process, context: Context) -> None:
        super().__init__(process, context)
        self.mark: Mark | None = None


class Stream(Resource):
    def __init__(self, process: Process, context: Context) -> None:
        super().__init__(process, context)
        self.queue: deque[Task] = deque()
        self.changed = threading.Condition()
        self.cancelled = threading.Event()
        self.after: set[Task] = set()  # tasks of other streams that must end before later tasks of this one
        self.ran: set[Resource] = set()
        self.error = SUCCESS
        threading.Thread(target=self._work, daemon=True).start()

    def put(self, task: Task) -> None:
        """Queue a task; unordered use of the same memory by another stream is a violation."""
        task.stream = self
        check_free(task.reads, task.writes, f"{task.what} in one stream", self)
        self.process.pending.append(task)
        with self.changed:
            self.queue.append(task)
            self.changed.notify_all()

    def wait(self, tasks: Sequence[Task], seconds: float | None) -> int:
        """Wait until the tasks have ended, so that the host may use their memory. Returns a code."""
        with _waited_for(self.process), self.changed:
            ended = self.changed.wait_for(lambda: all(task.over for task in tasks), seconds or PATIENCE)
        if not ended:
            if seconds is None:
                self.process.violation("waited without a limit for a run that hangs")
            self._lose(TIMED_OUT)
            return TIMED_OUT
        for task in tasks:
            if task in self.process.pending:
                self.process.pending.remove(task)
                task.settle()
        error = self.error
        if error not in FAULTS:
            self.error = SUCCESS
        return error

    def outstanding(self) -> list[Task]:
        """Return the tasks of this stream that the host has not synchronised with."""
        return [task for task in self.process.pending if task.stream is self]

    def release(self) -> None:
        for model in self.ran:
            if model.handle in self.process.resources:
                self.process.violation("a stream destroyed before the model that ran in it was unloaded")
        self.cancel()
        super().release()

    def hang(self) -> int:
        """Run for ever."""
        self.cancelled.wait()
        return TIMED_OUT

    def cancel(self) -> None:
        """Forget all tasks, and end the thread."""
        self.cancelled.set()
        self.process.pending = [task for task in self.process.pending if task.stream is not self]
        self.wake()

    def _work(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self._may_go_on() or self.cancelled.is_set())
                if self.cancelled.is_set():
                    return
                task = self.queue[0]
            code = self.error or task.act()  # after a fault nothing else runs
            with self.changed:
                if self.cancelled.is_set():
                    return
                if code:
                    self._lose(code)
                task.over = True
                self.queue.popleft()
                self.changed.notify_all()

    def _may_go_on(self) -> bool:
        return bool(self.queue) and (self.process.waits > 0 or not self.process.machine.late)

    def wake(self) -> None:
        """Make the thread check again for work."""
        with self.changed:
            self.changed.notify_all()

    def _lose(self, code: int) -> None:
        self.error = code
        if self.context is not None and code in FAULTS:
            self.context.fault = self.context.device.fault = code


@contextmanager
def _waited_for(process: Process) -> Iterator[None]:
    """Let all streams continue while the host waits."""
    with process.lock:
        process.waits += 1
    for stream in process.of(Stream):
        stream.wake()
    try:
        yield
    finally:
        with process.lock:
            process.waits -= 1


def check_free(reads: Sequence[Span], writes: Sequence[Span], what: str, stream: Stream | None = None) -> None:
    """Reject the use of memory if a task in progress uses it in a conflicting way."""
    process = _process.process
    for task in list(process.pending):
        if task.stream is stream or (stream is not None and task in stream.after):
            continue
        if any(task.uses(span, writing=True) for span in writes) or any(
            task.uses(span, writing=False) for span in reads
        ):
            process.refuse(INVALID, f"{what} while {task.what} is under way on that memory")


def current_stream(handle: int) -> Stream:
    """Return the stream with this handle, if it belongs to the current context."""
    process = _process.process
    context = process.context
    stream: Stream = process.get(handle, Stream)
    if stream.context is not context:
        process.refuse(OTHER_STREAM, "a stream used from another context")
    return stream
