"""Spans of speech: when a sound counts as one, and how they are told as the audio streams by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from funasr_cli.arrays import Samples


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
