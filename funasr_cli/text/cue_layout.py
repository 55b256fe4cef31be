"""The lines of a cue: how wide a text is on the screen, and where a cue is best broken into lines."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

BALANCE = 6.0
"""The cost of unequal lines: times the squared deviations from their mean, in units of the widest line allowed.

At 6 a break after a comma is worth lines of 21 and 42 columns out of 42, but not of 18 and 42. The cheat sheet of the
TED Translators Wiki allows no line that is shorter than half of the other.
"""

ONE_LINE: tuple[float, tuple[int, ...]] = 0.0, ()
"""Cost and breaks of a text that fits on one line."""

NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
"""Unicode's categories of characters that take no column: marks on others, joiners."""


def columns(text: str) -> int:
    """Return the width of `text` in terminal columns: 2 for a wide character, 0 for a combining mark, 1 otherwise."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def strict_columns(text: str) -> int:
    """Return the same, but all marks and joiners have no width, such as the vowels above a Thai consonant."""
    return sum(
        0 if unicodedata.category(char) in NO_WIDTH else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def characters(text: str) -> float:
    """Return how many characters a reader takes in: those that have a width, spaces and punctuation among them.

    In a text with wide characters narrow ones count half, as Netflix counts them ("How is reading speed measured?",
    Partner Help Center).
    """
    wide = any(unicodedata.east_asian_width(char) in "WF" for char in text)
    return strict_columns(text) / (2 if wide else 1)


class CueLayout:
    """Ways to lay out the pieces of a stretch of speech in lines of at most `columns`; no piece is broken.

    `begins` and `ends` are columns from the start of the stretch: where each piece begins without its leading space,
    and where the pieces up to one end. `breaks` are the costs of a break before each piece.
    """

    def __init__(self, begins: Sequence[int], ends: Sequence[int], breaks: Sequence[float], columns: int) -> None:
        self._begins, self._ends, self._breaks, self._columns = begins, ends, breaks, columns
        self._known: dict[tuple[int, int, int], tuple[float, tuple[int, ...]]] = {}

    def width(self, first: int, end: int) -> int:
        """Return the width in columns of the pieces from `first` up to `end`, on one line."""
        return self._ends[end] - self._begins[first]

    def lay_out(self, first: int, end: int, most: int) -> tuple[float, tuple[int, ...]] | None:
        """Lay out the pieces from `first` up to `end` in as few lines as possible, None if more than `most`.

        Returns the cost and the pieces that begin a further line.
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
        """Return the cheapest way to make `count` lines: the sum of squares is least if they are equally wide."""
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
