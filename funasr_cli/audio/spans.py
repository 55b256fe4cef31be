"""Spans of speech: when a sound counts as one, and how they are told as the audio streams by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from funasr_cli.arrays import Samples


@dataclass(frozen=True, slots=True)
class VadOptions:
    """When a stretch counts as speech.

    `threshold` is a probability; the durations are seconds. Speech shorter than `min_speech` is dropped, a pause
    shorter than `min_silence` does not end a span, and a span is widened by `padding` (≤ `min_silence`) at both ends.
    """

    threshold: float = 0.4
    min_speech: float = 0.1
    min_silence: float = 0.3
    padding: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"the threshold is a probability between 0 and 1, not {self.threshold}")
        if self.min_speech < 0 or not 0 <= self.padding <= self.min_silence:
            raise ValueError(
                f"a padding of {self.padding} s is longer than the minimum silence of {self.min_silence} s"
                if self.padding > self.min_silence
                else "durations cannot be negative"
            )


@dataclass(frozen=True, slots=True)
class Span:
    """Speech from sample `start` to `end` (exclusive). A span that is not `closed` still goes on."""

    start: int
    end: int
    closed: bool


class SpanDetector(Protocol):
    """Where the speech is, told as the audio streams by.

    `push` and `finish` return spans in order of time: those closed since the last call and, last, the one that is
    open, if any; an open one comes again, longer, with the next call. `horizon` is the first sample that a span to
    come can still begin at.
    """

    @property
    def horizon(self) -> int: ...

    def push(self, block: Samples) -> list[Span]: ...

    def finish(self) -> list[Span]: ...


class WholeRecording:
    """`--vad off`: everything is one span."""

    def __init__(self) -> None:
        self.horizon = 0
        self._end = 0

    def push(self, block: Samples) -> list[Span]:
        self._end += len(block)
        return [Span(0, self._end, closed=False)] if self._end else []

    def finish(self) -> list[Span]:
        return [Span(0, self._end, closed=True)] if self._end else []
