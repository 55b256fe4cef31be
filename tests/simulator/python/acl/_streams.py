"""Streams: tasks of one run in order on a thread of the runtime, and are under way until the host has synchronised."""

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
"""Seconds after which a wait without a limit counts as one that would never end."""


@dataclass(eq=False)
class Task:
    """Something a device does. `act` runs on the stream's thread and gives a code; `settle` when the host knows.

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
    """What an event stands for: all that had been put into a stream when it was recorded."""

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
        self.after: set[Task] = set()  # tasks of other streams that come before whatever is put into this one
        self.ran: set[Resource] = set()
        self.error = SUCCESS
        threading.Thread(target=self._work, daemon=True).start()

    def put(self, task: Task) -> None:
        """Queue a task; what another stream has under way on the same memory, unordered, is a violation."""
        task.stream = self
        check_free(task.reads, task.writes, f"{task.what} in one stream", self)
        self.process.pending.append(task)
        with self.changed:
            self.queue.append(task)
            self.changed.notify_all()

    def wait(self, tasks: Sequence[Task], seconds: float | None) -> int:
        """Until the tasks are over, and the host may use their memory. Gives a code."""
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
        """Tasks of this stream that the host has not synchronised with."""
        return [task for task in self.process.pending if task.stream is self]

    def release(self) -> None:
        for model in self.ran:
            if model.handle in self.process.resources:
                self.process.violation("a stream destroyed before the model that ran in it was unloaded")
        self.cancel()
        super().release()

    def hang(self) -> int:
        """What a run does that never ends."""
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
            code = self.error or task.act()  # after a fault nothing runs any more
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
        """Have the thread look again whether there is something to do."""
        with self.changed:
            self.changed.notify_all()

    def _lose(self, code: int) -> None:
        self.error = code
        if self.context is not None and code in FAULTS:
            self.context.fault = self.context.device.fault = code


@contextmanager
def _waited_for(process: Process) -> Iterator[None]:
    """The host waits: all streams may go on."""
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
    """Refuse what would use memory that a task under way uses otherwise."""
    process = _process.process
    for task in list(process.pending):
        if task.stream is stream or (stream is not None and task in stream.after):
            continue
        if any(task.uses(span, writing=True) for span in writes) or any(
            task.uses(span, writing=False) for span in reads
        ):
            process.refuse(INVALID, f"{what} while {task.what} is under way on that memory")


def current_stream(handle: int) -> Stream:
    """The stream behind a handle, if it belongs to the current context."""
    process = _process.process
    context = process.context
    stream: Stream = process.get(handle, Stream)
    if stream.context is not context:
        process.refuse(OTHER_STREAM, "a stream used from another context")
    return stream
