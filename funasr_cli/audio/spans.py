"""Spans of speech, and the interface of the detectors that find them in streaming audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from funasr_cli.arrays import Samples


@dataclass(frozen=True, slots=True)
class Span:
    """Speech from sample `start` to `end` (exclusive). A span that is not `closed` may still grow."""

    start: int
    end: int
    closed: bool


class SpanDetector(Protocol):
    """Finds speech in streaming audio.

    `push` and `finish` return spans in order of time: those closed since the last call, then the open one, if any. An
    open span is returned again, longer, by the next call. `horizon` is the first sample at which a future span can
    begin.
    """

    @property
    def horizon(self) -> int: ...

    def push(self, block: Samples) -> list[Span]: ...

    def finish(self) -> list[Span]: ...


class WholeRecording:
    """`--vad off`: the whole recording is one span."""

    def __init__(self) -> None:
        self.horizon = 0
        self._end = 0

    def push(self, block: Samples) -> list[Span]:
        self._end += len(block)
        return [Span(0, self._end, closed=False)] if self._end else []

    def finish(self) -> list[Span]:
        return [Span(0, self._end, closed=True)] if self._end else []
