"""Windows: as much speech as a model processes at once, without the pauses in it.

A window is filled with spans of speech as long as they fit and the pauses between them are short. Audio between the
spans is left out, so the cuts are in silence. A span longer than a window is split into overlapping windows, so that
every word is complete in one of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.spans import Span, SpanDetector

MAX_LEAD_S = 0.5
"""A word across a pause belongs after it if its part before the pause is longer by at most this many seconds.

Whisper starts a word where the previous one ends, so the first word after a pause includes the whole pause: up to 0.5 s
more than the word itself. No word was seen to include the pause after it (Mandarin and English, 0.5 to 2.9 s of
silence)."""

MARGIN_S = 0.15
"""Such a word is placed this many seconds after the pause that was left out: half the silence that the detector keeps
before speech."""


@dataclass(frozen=True, slots=True)
class WindowShape:
    """What a model needs: the longest window, the overlap of split windows, and the longest pause within a window.

    All in seconds. `overlap` is at most half of `length`, so that no moment is in more than two windows. After a long
    pause the speaker usually says something new, which a generative model would take for a continuation.
    """

    length: float
    overlap: float = 2.0
    max_pause: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.overlap <= self.length:
            raise ValueError(f"a window of {self.length} s cannot overlap its neighbours by {self.overlap} s")


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of the recording: samples `start` to `end` (exclusive)."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and end in seconds."""
        return self.start / SAMPLE_RATE, self.end / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Window:
    """A window: its audio, `samples` float32 `[n]` without padding, and the `parts` of the recording it comes from."""

    samples: Samples
    parts: tuple[Bounds, ...]

    @property
    def bounds(self) -> Bounds:
        """The range from the beginning of the first part to the end of the last."""
        return Bounds(self.parts[0].start, self.parts[-1].end)

    def place(self, start: float, end: float) -> tuple[float, float]:
        """Convert the times of a word in the window to times in the recording; seconds.

        A word that ends where a part ends does not extend over the pause after it, and a word that begins where a part
        begins does not start before the pause. A word that begins before a pause and ends after it is the first word
        after it (see `MAX_LEAD_S`).
        """
        if len(self.parts) == 1:
            offset = self.parts[0].start / SAMPLE_RATE
            return start + offset, end + offset
        edges = [0, *accumulate(len(part) for part in self.parts)]
        first = min(bisect_right(edges, round(start * SAMPLE_RATE)), len(self.parts)) - 1
        last = min(max(bisect_left(edges, round(end * SAMPLE_RATE)), first + 1), len(self.parts)) - 1
        seam = edges[last] / SAMPLE_RATE
        if first < last and (seam - start) - (end - seam) <= MAX_LEAD_S:
            first, start = last, seam + min(MARGIN_S, (end - seam) / 2)
        offsets = [(part.start - edge) / SAMPLE_RATE for part, edge in zip(self.parts, edges, strict=False)]
        return start + offsets[first], end + offsets[last]


class WindowPacker:
    """Packs the spans of a detector into windows; `cut` returns the audio of a range."""

    def __init__(self, shape: WindowShape, cut: Callable[[Bounds], Samples]) -> None:
        self._length = round(shape.length * SAMPLE_RATE)
        self._overlap = round(shape.overlap * SAMPLE_RATE)
        self._max_pause = round(shape.max_pause * SAMPLE_RATE)
        self._cut = cut
        self._parts: list[Bounds] = []  # of the window being filled
        self._audio: list[Samples] = []
        self.start: int | None = None
        """First sample of the open span that is not in a window yet; None if no span is open."""

    @property
    def first(self) -> int | None:
        """First sample of speech that still waits for a window; None if there is none."""
        return self._parts[0].start if self._parts else self.start

    def push(self, spans: Iterable[Span]) -> Iterator[Window]:
        """Add spans and yield the windows that are complete."""
        for span in spans:
            yield from self._add(span)

    def finish(self) -> Iterator[Window]:
        """Yield the window being filled, if any."""
        if self._parts:
            yield Window(self._audio[0] if len(self._audio) == 1 else np.concatenate(self._audio), tuple(self._parts))
        self._parts, self._audio = [], []

    def _add(self, span: Span) -> Iterator[Window]:
        start = span.start if self.start is None else self.start
        if self._parts and not self._takes(start, span.end):
            yield from self.finish()
        while span.end - start > self._length:
            self._take(Bounds(start, start + self._length))
            yield from self.finish()
            start += self._length - self._overlap
        self.start = None if span.closed else start
        if span.closed:
            self._take(Bounds(start, span.end))

    def _takes(self, start: int, end: int) -> bool:
        """Whether speech from `start` to `end` fits into the window and is close enough to what is in it."""
        filled = sum(map(len, self._parts))
        return filled + end - start <= self._length and start - self._parts[-1].end <= self._max_pause

    def _take(self, part: Bounds) -> None:
        self._parts.append(part)
        self._audio.append(self._cut(part))


class SampleBuffer:
    """The samples that future windows can still need, in one preallocated array that grows only if it must."""

    def __init__(self) -> None:
        self._array: Samples = np.empty(32 * SAMPLE_RATE, np.float32)
        self._first = 0  # position in the recording of array[0]
        self._used = 0

    def append(self, block: Samples, needed_from: int) -> None:
        """Add `block`; samples before `needed_from` may be dropped."""
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
        """Return a copy of the samples within `bounds`."""
        samples: Samples = self._array[bounds.start - self._first : bounds.end - self._first].copy()
        return samples


class SpeechWindows:
    """Iterates over the windows of a stream of blocks, and keeps totals."""

    def __init__(self, blocks: Iterable[Samples], detector: SpanDetector, shape: WindowShape) -> None:
        self._blocks = blocks
        self._detector = detector
        self._buffer = SampleBuffer()
        self._packer = WindowPacker(shape, self._buffer.cut)
        self._samples = 0
        self._speech = 0
        self._ended = False
        self.peak = 0.0
        """Largest magnitude of a sample so far."""

    @property
    def settled(self) -> int:
        """Number of samples from the start whose speech has all been returned in windows."""
        first = self._packer.first
        if first is None:
            first = self._samples if self._ended else self._detector.horizon
        return min(self._samples, first)

    @property
    def duration(self) -> float:
        """Seconds of audio read so far."""

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
            if len(block):
                self.peak = max(self.peak, float(block.max()), -float(block.min()))
            yield from self._packer.push(self._counted(self._detector.push(block)))
        yield from self._packer.push(self._counted(self._detector.finish()))
        self._ended = True
        yield from self._packer.finish()

    def _counted(self, spans: Iterable[Span]) -> Iterator[Span]:
        for span in spans:
            if span.closed:
                self._speech += span.end - span.start
            yield span
