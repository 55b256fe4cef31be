"""Which occurrences of listed words were recognised, and which were put where nobody said them.

Words and texts are compared character by character as for the CER, see `normalise`; a word in a script with spaces
counts only where it stands by itself ("art" is not in "party"). In one text the occurrences of a word do not overlap
each other; the first counts. An occurrence within that of a longer listed word does not count by itself: 一带一路 is
one occurrence, also where 一带 is listed. But it is there: where 一带一路 was said and 一带 was recognised, 一带一路
was missed and nothing was inserted.
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
    """Occurrences: of the `reference`, how many of them were `recognised`; of the `hypothesis`, how many are `false`.

    Recognised is what the hypothesis has at the place that is aligned with the reference; false is what the reference
    does not have there.
    """

    reference: int = 0
    recognised: int = 0
    hypothesis: int = 0
    false: int = 0

    @property
    def missed(self) -> int:
        """Those of the reference that were not recognised."""
        return self.reference - self.recognised

    @property
    def recall(self) -> float | None:
        """The share of the reference's that were recognised; None where it has none."""
        return self.recognised / self.reference if self.reference else None

    @property
    def precision(self) -> float | None:
        """The share of the hypothesis's that are not false; None where it has none."""
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
    """Counts by word, of those that occur, and which words the reference has at all, be it within longer ones."""

    words: Mapping[str, HotwordCounts] = field(default_factory=dict)
    said: Set[str] = frozenset()

    @property
    def total(self) -> HotwordCounts:
        """All words together."""
        return sum(self.words.values(), HotwordCounts())

    @property
    def false_of_absent(self) -> int:
        """False occurrences of words that the reference has nowhere."""
        return sum(counts.false for word, counts in self.words.items() if word not in self.said)

    def __add__(self, other: HotwordScore) -> HotwordScore:
        words = dict(self.words)
        for word, counts in other.words.items():
            words[word] = words.get(word, HotwordCounts()) + counts
        return HotwordScore(words, self.said | other.said)


@dataclass(frozen=True, slots=True)
class Text:
    """What is searched: `characters`, and at which of them, or behind which, a word may begin or end."""

    characters: str
    edges: Set[int]


def text_of(pieces: Iterable[Piece]) -> Text:
    """The units that the CER counts, with the edges of words."""
    words = units(pieces, "wer").tokens
    return Text("".join(words), frozenset(accumulate(map(len, words), initial=0)))


class HotwordScorer:
    """Counts the occurrences of a list of words in texts and their references."""

    def __init__(self, words: Iterable[str]) -> None:
        """Words that are the same once they are normalised count as the one that is listed first."""
        self._words: dict[str, str] = {}
        for word in words:
            self._words.setdefault(text_of([Piece(word, None)]).characters, word)
        self._words.pop("", None)

    def score(self, reference: Text, hypothesis: Text, alignment: Alignment | None = None) -> HotwordScore:
        """Compare two texts; `alignment` is that of their characters, where it is known already."""
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
        """Where each word begins, of those that occur."""
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
    """Of the places where words begin, those that are not within a longer word."""
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
    """Which occurrences, by where they begin, are one and the same on both sides, one to one.

    A place in the reference lies in the hypothesis between the neighbours that are aligned, so that it does not matter
    which of several alignments was taken. `end` is the hypothesis's length.
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
