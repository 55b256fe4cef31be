"""Run windows in three steps on a few threads: encode and align them one by one, generate several together.

A generative model reads the weights of its decoder for each token. Reading them once for several windows is faster;
encoding or aligning several windows at once gains nothing.

A free thread first aligns what was generated. Otherwise it generates a batch if enough windows wait for that, and
otherwise it encodes the next window. Enough is an even share of all windows among the threads that are not generating,
up to a full batch. So no window waits for later ones: a single window is generated at once, and two windows run side by
side on two threads.
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
    """An encoded window."""

    @property
    def kind(self) -> Hashable:
        """Windows of one kind can be generated together."""
        ...


EncodedT = TypeVar("EncodedT", bound=Encoded)
GeneratedT = TypeVar("GeneratedT")


class Steps(Protocol[EncodedT, GeneratedT]):
    """The steps of processing a window. Several threads may call at a time."""

    def encode(self, inputs: Arrays) -> EncodedT:
        """Encode a window."""
        ...

    def generate(self, batch: Sequence[EncodedT]) -> Sequence[GeneratedT]:
        """Generate the text of each window of a batch; all are of one kind."""
        ...

    def align(self, encoded: EncodedT, generated: GeneratedT) -> Arrays:
        """Return the outputs for a window."""
        ...


@dataclass(eq=False, slots=True)
class _Window:
    """A window in progress. `seconds` is the time that threads have spent on it, including its share of batches."""

    inputs: Arrays
    encoded: Any = None
    generated: Any = None
    seconds: float = 0.0
    done: Future[tuple[Arrays, float]] = field(default_factory=Future)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Measure a step, and pass its error to the waiting caller."""
        started = time.perf_counter()
        try:
            yield
        except Exception as error:  # a runtime may raise anything
            self.done.set_exception(error)
        self.seconds += time.perf_counter() - started


class BatchScheduler(Generic[EncodedT, GeneratedT]):
    """Takes windows through `steps` on up to `threads` threads, in batches of up to `max_batch`."""

    def __init__(self, steps: Steps[EncodedT, GeneratedT], threads: int, max_batch: int) -> None:
        self._steps = steps
        self._count = threads
        self._max_batch = max_batch
        self._threads = ThreadPoolExecutor(threads)
        self._lock = Lock()  # guards everything below
        self._to_encode = deque[_Window]()
        self._to_generate = deque[_Window]()
        self._to_align = deque[_Window]()
        self._encoding = self._generating = 0  # threads
        self._closed = False

    def submit(self, inputs: Arrays) -> Future[tuple[Arrays, float]]:
        """Start a window. The future gives its outputs and the seconds that threads spent on it (its share of a batch).

        The future raises the error of a step. If a batch fails, its windows are generated one by one, so each gets only
        its own error. The future is cancelled if the scheduler is closed before the window is done.
        """
        window = _Window(inputs)
        with self._lock:
            self._put([window], self._to_encode)
        return window.done

    def close(self) -> None:
        """Begin no more steps, and wait for those in progress."""
        with self._lock:
            self._closed = True
            for queue in (self._to_encode, self._to_generate, self._to_align):
                _cancel(queue)
                queue.clear()
        self._threads.shutdown()

    def _put(self, windows: Sequence[_Window], queue: deque[_Window]) -> None:
        """Queue windows and wake one thread for each. The caller holds the lock."""
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
        """Return the next step; None if there is nothing to do."""
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
        """Return how many windows to generate together if the threads that are not generating share all of them."""
        windows = len(self._to_encode) + self._encoding + len(self._to_generate)
        return min(self._max_batch, -(-windows // (self._count - self._generating)))

    def _take(self, count: int) -> Sequence[_Window]:
        """Remove and return the window that has waited longest and the next ones of its kind, up to `count` in all."""
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
                for window in batch:  # the error belongs to one of them
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
