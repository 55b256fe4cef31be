"""Count which occurrences of listed words were recognised, and which were inserted though nobody said them.

Words and texts are compared character by character as for the CER, see `normalise`; in a script with spaces, only whole
words count ("art" is not in "party"). Occurrences of one word do not overlap; the first counts. An occurrence inside
that of a longer listed word is not counted: 一带一路 is one occurrence, even if 一带 is listed. But it is in the
text: if 一带一路 was said and 一带 recognised, 一带一路 counts as missed and nothing as inserted.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from funasr_cli.scoring.align import Alignment, align
from funasr_cli.scoring.normalise import units
from funasr_cli.scoring.read import Piece


@dataclass(frozen=True, slots=True)
class HotwordCounts:
    """Occurrences in `reference` and `hypothesis`, and how many of them are `recognised` and `false`.

    An occurrence in the reference is recognised if the hypothesis has it at the aligned place. One in the hypothesis is
    false if the reference does not have it there.
    """

    reference: int = 0
    recognised: int = 0
    hypothesis: int = 0
    false: int = 0

    @property
    def missed(self) -> int:
        """Occurrences in the reference that were not recognised."""
        return self.reference - self.recognised

    @property
    def recall(self) -> float | None:
        """The recognised share of the occurrences in the reference; None if there are none."""
        return self.recognised / self.reference if self.reference else None

    @property
    def precision(self) -> float | None:
        """The share of the occurrences in the hypothesis that are not false; None if there are none."""
        return 1 - self.false / self.hypothesis if self.hypothesis else None

    def __add__(self, other: HotwordCounts) -> HotwordCounts:
        return HotwordCounts(
            self.reference + other.reference,
            self.recognised + other.recognised,
            self.hypothesis + other.hypothesis,
            self.false + other.false,
        )


@dataclass(frozen=True, slots=True)
class HotwordScore:
    """Counts of the words that occur, and `said`: words in the reference, even if only within longer ones."""

    words: Mapping[str, HotwordCounts] = field(default_factory=dict)
    said: Set[str] = frozenset()

    @property
    def total(self) -> HotwordCounts:
        """The sum over all words."""
        return sum(self.words.values(), HotwordCounts())

    @property
    def false_of_absent(self) -> int:
        """False occurrences of words that the reference does not have anywhere."""
        return sum(counts.false for word, counts in self.words.items() if word not in self.said)

    def __add__(self, other: HotwordScore) -> HotwordScore:
        words = dict(self.words)
        for word, counts in other.words.items():
            words[word] = words.get(word, HotwordCounts()) + counts
        return HotwordScore(words, self.said | other.said)


@dataclass(frozen=True, slots=True)
class Text:
    """A text to search: its `characters`, and the `edges` at which a word may begin or end."""

    characters: str
    edges: Set[int]


def text_of(pieces: Iterable[Piece]) -> Text:
    """Return the units that the CER counts, with the edges of words."""
    words = units(pieces, "wer").tokens
    return Text("".join(words), frozenset(accumulate(map(len, words), initial=0)))


class HotwordScorer:
    """Counts the occurrences of a list of words in texts and their references."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take a list of words; words that are equal after normalisation count as the first of them."""
        self._words: dict[str, str] = {}
        for word in words:
            self._words.setdefault(text_of([Piece(word, None)]).characters, word)
        self._words.pop("", None)

    def score(self, reference: Text, hypothesis: Text, alignment: Alignment | None = None) -> HotwordScore:
        """Compare two texts; `alignment` is that of their characters, if already known."""
        if alignment is None:
            alignment = align(reference.characters, hypothesis.characters)
        said, written = self._find(reference), self._find(hypothesis)
        counted_said, counted_written = _outermost(said), _outermost(written)
        words: dict[str, HotwordCounts] = {}
        for word in said.keys() | written.keys():
            here, there = said.get(word, []), written.get(word, [])
            recognised, true = _pairs(here, there, len(word), alignment, len(hypothesis.characters))
            counts = HotwordCounts(
                len(counted_said[word]),
                len(counted_said[word] & recognised),
                len(counted_written[word]),
                len(counted_written[word] - true),
            )
            if counts != HotwordCounts():
                words[self._words[word]] = counts
        return HotwordScore(words, frozenset(self._words[word] for word in said))

    def _find(self, text: Text) -> dict[str, list[int]]:
        """Return the start of each occurrence, by word."""
        found: dict[str, list[int]] = {}
        for word in self._words:
            at = text.characters.find(word)
            while at >= 0:
                stands = at in text.edges and at + len(word) in text.edges
                if stands:
                    found.setdefault(word, []).append(at)
                at = text.characters.find(word, at + (len(word) if stands else 1))
        return found


def _outermost(found: Mapping[str, list[int]]) -> defaultdict[str, set[int]]:
    """Return the starts of the occurrences that are not within a longer word, by word."""
    places = sorted((start, -start - len(word), word) for word, starts in found.items() for start in starts)
    outermost, reached = defaultdict[str, set[int]](set), 0
    for start, negative_end, word in places:
        if -negative_end > reached:
            outermost[word].add(start)
            reached = -negative_end
    return outermost


def _pairs(
    reference: list[int], hypothesis: list[int], length: int, alignment: Alignment, end: int
) -> tuple[set[int], set[int]]:
    """Match the occurrences of both sides one to one; return the starts of those that match.

    An occurrence in the reference is looked for in the hypothesis between its aligned neighbours, so that the result is
    the same for every best alignment. `end` is the length of the hypothesis.
    """
    recognised, true = set[int](), set[int]()
    rest = deque(hypothesis)
    for start in reference:
        before, after = np.searchsorted(alignment.reference, [start, start + length])
        low = alignment.hypothesis[before - 1] + 1 if before else 0
        high = alignment.hypothesis[after] if after < len(alignment.hypothesis) else end
        while rest and rest[0] + length <= low:
            rest.popleft()
        if rest and rest[0] < high:
            recognised.add(start)
            true.add(rest.popleft())
    return recognised, true
