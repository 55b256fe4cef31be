"""Align the times of tokens with the detected speech."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from funasr_cli.transcript import Token

MIN_TOKEN_S = 0.02
"""The shortest token, in seconds."""

Interval = tuple[float, float]
"""Start and end of a span of speech, in seconds."""


def fit_to_speech(tokens: Iterable[Token], speech: Sequence[Interval]) -> list[Token]:
    """Return the tokens, each clipped to the span of speech that has most of it.

    An aligner adds a pause to the word before or after it; the voice detector knows better. A token outside all spans
    keeps its times, but none ends after the last span. `speech` is in order, without overlaps, and not empty.
    """
    starts, ends = zip(*speech, strict=True)
    latest = ends[-1]
    fitted: list[Token] = []
    for token in tokens:
        start, end, until = token.start, token.end, token.until
        shared = 0.0
        for low, high in speech[bisect_left(ends, start) : bisect_left(starts, end)]:
            if min(high, token.end) - max(low, token.start) > shared:
                start, end, until = max(low, token.start), min(high, token.end), min(high, token.until)
                shared = end - start
        end = min(max(end, start + MIN_TOKEN_S), latest)
        start = min(start, max(0.0, end - MIN_TOKEN_S))
        fitted.append(Token(token.text, start, end, token.confidence, max(0.0, until - end), token.language))
    return fitted
