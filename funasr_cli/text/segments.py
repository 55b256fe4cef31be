"""Subtitle segments: lines that a person can read in the time they are shown.

A line breaks where a sentence ends or the speaker pauses. What is still too wide or too long is halved where it hurts
least (after a comma, in a pause, near the middle) until every piece fits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from funasr_cli.transcript import Segment, Token, join

SENTENCE_END = frozenset("。！？!?.…")
CLAUSE_END = frozenset("，、；：,;:")
CLOSING = "\"'”’」』)）》"
MIN_SHOWN = 0.8
"""A line stays for at least this many seconds where the next one leaves it the time."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """The widest line in columns (a CJK character takes two), the longest in seconds, the pause that ends a line."""

    columns: int = 42
    seconds: float = 7.0
    pause: float = 0.8


SHORTEST = 0.001
"""The unit of time of SRT, in seconds: where tokens leave no time, a line still has an end behind its start."""


def segment(tokens: Sequence[Token], limits: SegmentLimits | None = None) -> tuple[Segment, ...]:
    """Lines in order of time: never empty, never overlapping, each within `limits`.

    Only a single token that alone exceeds a limit makes a line that does.
    """
    limits = limits or SegmentLimits()
    lines: list[Sequence[Token]] = []
    for sentence in _sentences([token for token in tokens if token.text.strip()], limits.pause):
        lines += _fit(sentence, limits)
    return tuple(_timed(lines))


def columns(text: str) -> int:
    """Width of `text` in terminal columns: 2 for a wide character, 0 for a combining mark, 1 otherwise."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def ends_with(token: Token, marks: frozenset[str]) -> bool:
    """Whether the token's text ends with one of `marks`, closing quotes and brackets aside."""
    return token.text.rstrip().rstrip(CLOSING)[-1:] in marks


def _sentences(tokens: Sequence[Token], pause: float) -> Iterator[Sequence[Token]]:
    begin = 0
    for i, (token, after) in enumerate(pairwise(tokens), start=1):
        if after.start - token.until >= pause or (ends_with(token, SENTENCE_END) and _may_end(token, after)):
            yield tokens[begin:i]
            begin = i
    if begin < len(tokens):
        yield tokens[begin:]


def _may_end(token: Token, after: Token) -> bool:
    """A full stop in front of a letter or a digit without a space (3.5, example.com) ends nothing."""
    return not token.text.rstrip().endswith(".") or after.text.startswith(" ") or not after.text[:1].isascii()


def _fit(tokens: Sequence[Token], limits: SegmentLimits) -> list[Sequence[Token]]:
    seconds = tokens[-1].end - tokens[0].start
    if len(tokens) == 1 or (seconds <= limits.seconds and columns(join(tokens)) <= limits.columns):
        return [tokens]
    cut = _best_cut(tokens)
    return [*_fit(tokens[:cut], limits), *_fit(tokens[cut:], limits)]


def _best_cut(tokens: Sequence[Token]) -> int:
    """Index to cut before: near the middle, but a comma is worth a third of the line off it, a second of pause half."""
    widths = [columns(token.text) for token in tokens]
    total, left = sum(widths), 0
    best, best_cost = 1, float("inf")
    for i in range(1, len(tokens)):
        left += widths[i - 1]
        cost = abs(2 * left - total) / total
        cost -= 0.33 if ends_with(tokens[i - 1], CLAUSE_END) else 0.0
        cost -= min(0.5, 0.5 * max(0.0, tokens[i].start - tokens[i - 1].until))
        if cost < best_cost:
            best, best_cost = i, cost
    return best


def _timed(lines: Sequence[Sequence[Token]]) -> Iterator[Segment]:
    shown = 0.0  # until when the line before stays
    for i, line in enumerate(lines):
        start = max(shown, line[0].start)
        following = lines[i + 1][0].start if i + 1 < len(lines) else float("inf")
        end = min(max(line[-1].until, start + MIN_SHOWN), following)
        shown = max(end, start + SHORTEST)
        yield Segment(start, shown, tuple(line))
