"""The lines of a cue: how wide a text is on the screen, and where a cue is best broken into lines."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

BALANCE = 6.0
"""The factor for the cost of unequal lines: the sum of the squared deviations from the mean width, with widths in units
of the maximum.

With 6 and a maximum of 42 columns, a break after a comma is chosen even if it makes lines of 21 and 42 columns, but not
if it makes lines of 18 and 42. The cheat sheet of the TED Translators Wiki does not allow a line that is less than half
as long as the other.
"""

ONE_LINE: tuple[float, tuple[int, ...]] = 0.0, ()
"""Cost and breaks of a text that fits on one line."""

NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
"""Unicode categories of characters without a width: combining marks and joiners."""


def columns(text: str) -> int:
    """Return the width of `text` in terminal columns: 2 for a wide character, 0 for a combining mark, 1 otherwise."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def strict_columns(text: str) -> int:
    """Like `columns`, but no mark or joiner has a width, for example the vowel above a Thai consonant."""
    return sum(
        0 if unicodedata.category(char) in NO_WIDTH else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def characters(text: str) -> float:
    """Return the number of characters for the reading speed: all with a width, including spaces and punctuation.

    In a text with wide characters, each narrow one counts as half. This is how Netflix counts ("How is reading speed
    measured?", Partner Help Center).
    """
    wide = any(unicodedata.east_asian_width(char) in "WF" for char in text)
    return strict_columns(text) / (2 if wide else 1)


class CueLayout:
    """Lays out consecutive pieces of text in lines of at most `columns`, without splitting a piece.

    `begins` and `ends` are columns, counted from the start of the first piece: `begins[i]` is where piece i begins,
    without its leading space, and `ends[i]` is where the pieces before it end. `breaks[i]` is the cost of a break
    before piece i.
    """

    def __init__(self, begins: Sequence[int], ends: Sequence[int], breaks: Sequence[float], columns: int) -> None:
        self._begins, self._ends, self._breaks, self._columns = begins, ends, breaks, columns
        self._known: dict[tuple[int, int, int], tuple[float, tuple[int, ...]]] = {}

    def width(self, first: int, end: int) -> int:
        """Return the width in columns of the pieces from `first` up to `end`, on one line."""
        return self._ends[end] - self._begins[first]

    def lay_out(self, first: int, end: int, most: int) -> tuple[float, tuple[int, ...]] | None:
        """Lay out the pieces from `first` up to `end` in as few lines as possible.

        Returns the cost and the indices of the pieces that begin the second and further lines, or None if more than
        `most` lines would be needed.
        """
        width = self.width(first, end)
        if width <= self._columns:
            return ONE_LINE
        for count in range(max(2, math.ceil(width / self._columns) - 1), most + 1):
            cost, breaks = self._cheapest(first, end, count)
            if cost < math.inf:
                return cost - BALANCE * count * (width / count / self._columns) ** 2, breaks
        return None

    def _cheapest(self, first: int, end: int, count: int) -> tuple[float, tuple[int, ...]]:
        """Return cost and breaks of the cheapest `count` lines. The sum of squares is least for equal widths."""
        key = first, end, count
        if key not in self._known:
            self._known[key] = self._one_line(first, end) if count == 1 else self._several(first, end, count)
        return self._known[key]

    def _one_line(self, first: int, end: int) -> tuple[float, tuple[int, ...]]:
        fill = self.width(first, end) / self._columns
        return (BALANCE * fill**2 if fill <= 1 else math.inf), ()

    def _several(self, first: int, end: int, count: int) -> tuple[float, tuple[int, ...]]:
        best: tuple[float, tuple[int, ...]] = math.inf, ()
        for middle in range(first + 1, end):
            above, _ = self._cheapest(first, middle, 1)
            if above == math.inf:
                break
            below, breaks = self._cheapest(middle, end, count - 1)
            if (cost := above + self._breaks[middle] + below) < best[0]:
                best = cost, (middle, *breaks)
        return best
