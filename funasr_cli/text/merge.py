"""Join the tokens of windows that overlap, so that nothing is doubled and nothing dropped at the seam.

Both windows heard the overlap; each is least sure at its own edge, where a word may be cut. The seam is laid inside
the longest run of words that both have at about the same time, as near to the middle of the overlap as the run goes:
both sides agree there, so whichever is taken, the text is the same. Where they agree on nothing, the seam is laid at
the moment near the middle that is furthest from any word of either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from funasr_cli.transcript import Token

SAME_TIME_S = 0.5
"""Seconds by which two windows may differ about the time of the same word."""

MIDDLE = 0.5
"""Without agreement the seam stays within this middle part of the overlap, away from both edges."""


class Merger:
    """Collects the tokens of a recording, window after window, in order of time. `tokens` is the text so far."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self._settled = 0  # tokens that neither the newest window nor those to come can touch
        self._end = 0.0

    def add(self, tokens: Sequence[Token], start: float, end: float) -> None:
        """Add the tokens of the window from `start` to `end`; all times are seconds of the recording."""
        while self._settled < len(self.tokens) and self.tokens[self._settled].middle < start - SAME_TIME_S:
            self._settled += 1
        self.tokens[self._settled :] = merge(self.tokens[self._settled :], tokens, start, self._end)
        self._end = end


def merge(left: Sequence[Token], right: Sequence[Token], start: float, end: float) -> list[Token]:
    """All tokens of two neighbouring windows, times in seconds of the recording.

    The windows overlap from `start` (where the right one begins) to `end` (where the left one ends); where they do
    not, `start` ≥ `end`.
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
    """Where to leave `left` and enter `right`: inside the longest common run, nearest to `middle`; None without one."""
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
    """The time in the middle of the overlap that is furthest from the middle of any token."""
    margin = (end - start) * (1 - MIDDLE) / 2
    low, high = start + margin, end - margin
    edges = sorted({min(max(low, at), high) for at in (low, *(token.middle for token in tokens), high)})
    candidates = [(a + b) / 2 for a, b in pairwise(edges)]
    centre = (start + end) / 2
    return max(
        candidates, key=lambda at: (round(min(abs(at - token.middle) for token in tokens), 3), -abs(at - centre))
    )


def spoken(token: Token) -> str:
    """What of a token is heard: its letters and digits, without case, punctuation and spaces."""
    folded = unicodedata.normalize("NFKC", token.text).casefold()
    return "".join(char for char in folded if char.isalnum())
