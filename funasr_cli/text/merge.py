"""Join the tokens of overlapping windows without duplicates or gaps at the seam.

Both windows heard the overlap; each is least reliable at its own edge, where a word may be cut. The seam is placed
inside the longest run of words that both have at about the same time, as close to the middle of the overlap as
possible: both sides agree there, so the text is the same whichever is taken. If they agree on nothing, the seam is
placed at the moment near the middle that is farthest from any word of either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from funasr_cli.transcript import Token

SAME_TIME_S = 0.5
"""Seconds by which two windows may differ about the time of the same word."""

MIDDLE = 0.5
"""Share of the overlap, around its middle, in which the seam must be if the windows do not agree."""


class Merger:
    """Collects the tokens of a recording, window by window, in order of time. `tokens` is the text so far."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self._settled = 0  # tokens that no current or later window can change
        self._end = 0.0

    def add(self, tokens: Sequence[Token], start: float, end: float) -> None:
        """Add the tokens of the window from `start` to `end`; all times are in seconds of the recording."""
        while self._settled < len(self.tokens) and self.tokens[self._settled].middle < start - SAME_TIME_S:
            self._settled += 1
        self.tokens[self._settled :] = merge(self.tokens[self._settled :], tokens, start, self._end)
        self._end = end


def merge(left: Sequence[Token], right: Sequence[Token], start: float, end: float) -> list[Token]:
    """Return all tokens of two neighbouring windows, times in seconds of the recording.

    The windows overlap from `start` (where the right one begins) to `end` (where the left one ends); if they do not
    overlap, `start` ≥ `end`.
    """
    heard_twice = any(token.middle >= start for token in left) and any(token.middle < end for token in right)
    if start >= end or not heard_twice:
        return [*left, *right]
    seam = _agreement(left, right, (start + end) / 2)
    if seam is not None:
        return [*left[: seam[0]], *right[seam[1] :]]
    cut = _quietest([*left, *right], start, end)
    return [*(token for token in left if token.middle < cut), *(token for token in right if token.middle >= cut)]


def _agreement(left: Sequence[Token], right: Sequence[Token], middle: float) -> tuple[int, int] | None:
    """Return where to leave `left` and enter `right`: in the longest common run, near `middle`; or None."""
    best: tuple[int, float] | None = None
    seam: tuple[int, int] | None = None
    lengths: dict[tuple[int, int], int] = {}
    words_left, words_right = [spoken(token) for token in left], [spoken(token) for token in right]
    for i, token in enumerate(left):
        for j, other in enumerate(right):
            if not words_left[i] or words_left[i] != words_right[j] or abs(token.middle - other.middle) > SAME_TIME_S:
                continue
            length = lengths[i, j] = lengths.get((i - 1, j - 1), 0) + 1
            distance, back = min((abs(left[i - k].middle - middle), k) for k in range(length))
            if best is None or (length, -distance) > best:
                best, seam = (length, -distance), (i - back, j - back)
    return seam


def _quietest(tokens: Sequence[Token], start: float, end: float) -> float:
    """Return the time in the middle of the overlap that is farthest from the middle of any token."""
    margin = (end - start) * (1 - MIDDLE) / 2
    low, high = start + margin, end - margin
    edges = sorted({min(max(low, at), high) for at in (low, *(token.middle for token in tokens), high)})
    candidates = [(a + b) / 2 for a, b in pairwise(edges)]
    centre = (start + end) / 2
    return max(
        candidates, key=lambda at: (round(min(abs(at - token.middle) for token in tokens), 3), -abs(at - centre))
    )


def spoken(token: Token) -> str:
    """Return what can be heard of a token: letters and digits, without case, punctuation and spaces."""
    folded = unicodedata.normalize("NFKC", token.text).casefold()
    return "".join(char for char in folded if char.isalnum())
