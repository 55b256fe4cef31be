"""Windows: stretches of speech no longer than a model takes at once.

Neighbouring spans share a window as long as it holds them and the pause between them is short enough; the cuts lie in
silence. A span longer than a window is split into windows that overlap, so that every word is whole in one of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.spans import Span, SpanDetector


@dataclass(frozen=True, slots=True)
class WindowShape:
    """What a model wants: the longest window, how far split windows overlap, and the longest pause inside a window.

    Seconds, all three; `overlap` is at most half of `length`, so that no moment lies in more than two windows.
    """

    length: float
    overlap: float = 2.0
    max_pause: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.overlap <= self.length:
            raise ValueError(f"a window of {self.length} s cannot overlap its neighbours by {self.overlap} s")


@dataclass(frozen=True, slots=True)
class Bounds:
    """A place in the recording: samples `start` to `end` (exclusive)."""

    start: int
    end: int

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and end in seconds."""
        return self.start / SAMPLE_RATE, self.end / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Window:
    """A window with its audio: `samples` float32 `[end - start]`, no padding, and the spans of speech within it."""

    bounds: Bounds
    samples: Samples
    speech: tuple[Bounds, ...]


class WindowPacker:
    """Turns spans, as a detector tells them, into windows. Needs no audio and looks no further ahead than a window."""

    def __init__(self, shape: WindowShape) -> None:
        self._length = round(shape.length * SAMPLE_RATE)
        self._overlap = round(shape.overlap * SAMPLE_RATE)
        self._max_pause = round(shape.max_pause * SAMPLE_RATE)
        self._start: int | None = None  # of the window being filled
        self._end = 0  # of the closed spans in it

    @property
    def start(self) -> int | None:
        """First sample of the window being filled; None where there is none."""
        return self._start

    def push(self, spans: Iterable[Span]) -> Iterator[Bounds]:
        """The windows that are settled once `spans` are known."""
        for span in spans:
            yield from self._add(span)

    def finish(self) -> Iterator[Bounds]:
        """The last window, if one is being filled."""
        if self._start is not None and self._start < self._end:
            yield Bounds(self._start, self._end)
        self._start = None

    def _add(self, span: Span) -> Iterator[Bounds]:
        if self._start is not None and not self._takes(span, self._start):
            yield from self.finish()
        if self._start is None:
            self._start = self._end = span.start
        while span.end - self._start > self._length:
            cut = self._start + self._length
            yield Bounds(self._start, cut)
            self._start, self._end = cut - self._overlap, cut
        if span.closed:
            self._end = span.end

    def _takes(self, span: Span, start: int) -> bool:
        """Whether `span` may go into the window that begins at `start`: it began there, or fits behind what is in."""
        if not start < self._end <= span.start:
            return True
        return span.end - start <= self._length and span.start - self._end <= self._max_pause


class SampleBuffer:
    """The samples that a window to come can still need, in one preallocated array that grows only when it must."""

    def __init__(self) -> None:
        self._array: Samples = np.empty(32 * SAMPLE_RATE, np.float32)
        self._first = 0  # position in the recording of array[0]
        self._used = 0

    def append(self, block: Samples, needed_from: int) -> None:
        """Add `block`; samples before `needed_from` may be forgotten."""
        if self._used + len(block) > len(self._array):
            kept = self._array[min(needed_from - self._first, self._used) : self._used].copy()
            if len(kept) + len(block) > len(self._array) // 2:
                self._array = np.empty(2 * (len(kept) + len(block)), np.float32)
            self._array[: len(kept)] = kept
            self._first += self._used - len(kept)
            self._used = len(kept)
        self._array[self._used : self._used + len(block)] = block
        self._used += len(block)

    def cut(self, bounds: Bounds) -> Samples:
        """A copy of the samples within `bounds`."""
        samples: Samples = self._array[bounds.start - self._first : bounds.end - self._first].copy()
        return samples


class SpeechWindows:
    """Iterates over the windows of a stream of blocks, and counts what went by."""

    def __init__(self, blocks: Iterable[Samples], detector: SpanDetector, shape: WindowShape) -> None:
        self._blocks = blocks
        self._detector = detector
        self._packer = WindowPacker(shape)
        self._buffer = SampleBuffer()
        self._spans: deque[Span] = deque()
        self._samples = 0
        self._speech = 0

    @property
    def duration(self) -> float:
        """Seconds of audio so far."""
        return self._samples / SAMPLE_RATE

    @property
    def speech(self) -> float:
        """Seconds of speech in the spans closed so far."""
        return self._speech / SAMPLE_RATE

    def __iter__(self) -> Iterator[Window]:
        for block in self._blocks:
            start = self._packer.start
            self._buffer.append(block, self._detector.horizon if start is None else start)
            self._samples += len(block)
            yield from self._cut(self._packer.push(self._noted(self._detector.push(block))))
        yield from self._cut(self._packer.push(self._noted(self._detector.finish())))
        yield from self._cut(self._packer.finish())

    def _cut(self, settled: Iterable[Bounds]) -> Iterator[Window]:
        for bounds in settled:
            while self._spans and self._spans[0].end <= bounds.start:
                self._spans.popleft()
            within = (Bounds(max(s.start, bounds.start), min(s.end, bounds.end)) for s in self._spans)
            speech = tuple(part for part in within if part.start < part.end)
            yield Window(bounds, self._buffer.cut(bounds), speech)

    def _noted(self, spans: Iterable[Span]) -> Iterator[Span]:
        """The same spans, remembered for the windows they will lie in; an open one gives way to its longer self."""
        for span in spans:
            if self._spans and not self._spans[-1].closed:
                self._spans.pop()
            self._spans.append(span)
            if span.closed:
                self._speech += span.end - span.start
            yield span
