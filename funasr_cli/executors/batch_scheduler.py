"""Windows in three steps on a few threads: each is encoded and aligned by itself, several are generated together.

A generative model reads the weights of its decoder for each token. It is faster to read them once for several windows;
to encode or to align several windows at once gains nothing.

A thread that is free aligns what was generated. Else it generates a batch if enough windows wait for that, else it
encodes the next window. Enough is what each thread gets if those that do not generate share all windows evenly, up to a
full batch. So no window waits for others to come: a single one is generated at once, and two on two threads side by
side.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from funasr_cli.arrays import Arrays


class Encoded(Protocol):
    """A window that was encoded."""

    @property
    def kind(self) -> Hashable:
        """Windows of one kind can be generated together."""
        ...


EncodedT = TypeVar("EncodedT", bound=Encoded)
GeneratedT = TypeVar("GeneratedT")


class Steps(Protocol[EncodedT, GeneratedT]):
    """What is done to windows. Several threads call at a time."""

    def encode(self, inputs: Arrays) -> EncodedT:
        """A window, encoded."""
        ...

    def generate(self, batch: Sequence[EncodedT]) -> Sequence[GeneratedT]:
        """The text of each window of a batch, which are of one kind."""
        ...

    def align(self, encoded: EncodedT, generated: GeneratedT) -> Arrays:
        """The outputs for a window."""
        ...


@dataclass(eq=False, slots=True)
class _Window:
    """A window on its way, and for how many seconds threads have worked on it: of a batch, its share."""

    inputs: Arrays
    encoded: Any = None
    generated: Any = None
    seconds: float = 0.0
    done: Future[tuple[Arrays, float]] = field(default_factory=Future)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Measures a step, and keeps its error for who waits."""
        started = time.perf_counter()
        try:
            yield
        except Exception as error:  # a runtime may raise anything
            self.done.set_exception(error)
        self.seconds += time.perf_counter() - started


class BatchScheduler(Generic[EncodedT, GeneratedT]):
    """Takes windows through `steps`, up to `threads` of which are under way at a time, in batches up to `max_batch`."""

    def __init__(self, steps: Steps[EncodedT, GeneratedT], threads: int, max_batch: int) -> None:
        self._steps = steps
        self._count = threads
        self._max_batch = max_batch
        self._threads = ThreadPoolExecutor(threads)
        self._lock = Lock()  # of all below
        self._to_encode = deque[_Window]()
        self._to_generate = deque[_Window]()
        self._to_align = deque[_Window]()
        self._encoding = self._generating = 0  # threads
        self._closed = False

    def submit(self, inputs: Arrays) -> Future[tuple[Arrays, float]]:
        """Take up a window. It gets its outputs, and for how many seconds threads have worked on it: of a batch, its
        share; or the error of a step, which if it came to a batch is that of this window alone.

        It is cancelled if the scheduler is closed before it is done.
        """
        window = _Window(inputs)
        with self._lock:
            self._put([window], self._to_encode)
        return window.done

    def close(self) -> None:
        """Wait for the steps that are under way, and begin no more."""
        with self._lock:
            self._closed = True
            for queue in (self._to_encode, self._to_generate, self._to_align):
                _cancel(queue)
                queue.clear()
        self._threads.shutdown()

    def _put(self, windows: Sequence[_Window], queue: deque[_Window]) -> None:
        """Queue windows, and have as many threads look what there is to do. The lock is held."""
        if self._closed:
            _cancel(windows)
            return
        queue.extend(windows)
        for _ in windows:
            self._threads.submit(self._work)

    def _work(self) -> None:
        while step := self._next():
            step()

    def _next(self) -> Callable[[], None] | None:
        """The step that comes first; None if there is nothing to do."""
        with self._lock:
            if self._to_align:
                return partial(self._align, self._to_align.popleft())
            enough = self._enough()
            if self._to_encode and len(self._to_generate) < enough:
                self._encoding += 1
                return partial(self._encode, self._to_encode.popleft())
            if self._to_generate:
                self._generating += 1
                return partial(self._generate, self._take(enough))
            return None

    def _enough(self) -> int:
        """How many windows are generated together if the threads that do not generate share all there are."""
        windows = len(self._to_encode) + self._encoding + len(self._to_generate)
        return min(self._max_batch, -(-windows // (self._count - self._generating)))

    def _take(self, count: int) -> Sequence[_Window]:
        """The window that has waited longest to be generated, and the next of its kind, up to `count` together."""
        kind = self._to_generate[0].encoded.kind
        taken = [window for window in self._to_generate if window.encoded.kind == kind][:count]
        for window in taken:
            self._to_generate.remove(window)
        return taken

    def _encode(self, window: _Window) -> None:
        with window.work():
            window.encoded = self._steps.encode(window.inputs)
        with self._lock:
            self._encoding -= 1
            self._put(_unfinished([window]), self._to_generate)

    def _generate(self, batch: Sequence[_Window]) -> None:
        self._generate_together(batch)
        with self._lock:
            self._generating -= 1
            self._put(_unfinished(batch), self._to_align)

    def _generate_together(self, batch: Sequence[_Window]) -> None:
        started = time.perf_counter()
        try:
            texts = list(zip(batch, self._steps.generate([window.encoded for window in batch]), strict=True))
        except Exception as error:  # a runtime may raise anything
            if len(batch) == 1:
                batch[0].done.set_exception(error)
            else:
                for window in batch:  # it belongs to one of them
                    self._generate_together([window])
            return
        seconds = (time.perf_counter() - started) / len(batch)
        for window, text in texts:
            window.generated = text
            window.seconds += seconds

    def _align(self, window: _Window) -> None:
        outputs: Arrays = {}
        with window.work():
            outputs = self._steps.align(window.encoded, window.generated)
        if _unfinished([window]):
            window.done.set_result((outputs, window.seconds))


def _unfinished(windows: Sequence[_Window]) -> Sequence[_Window]:
    return [window for window in windows if not window.done.done()]


def _cancel(windows: Iterable[_Window]) -> None:
    for window in windows:
        window.done.cancel()
