"""Spell hotwords in the pieces of a model's vocabulary."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

from funasr_cli.decoding.context import ContextGraph, Spelling
from funasr_cli.hotword_lines import DEFAULT_WEIGHT
from funasr_cli.hotwords import Hotword
from funasr_cli.recognizers.vocabulary import Pieces
from funasr_cli.recognizers.words import is_unspaced
from funasr_cli.unicode_ranges import HAN, is_han

_HAN = re.compile(f"[{HAN}]")


class Speller:
    """Spells words in the pieces of a vocabulary."""

    def __init__(self, pieces: Pieces) -> None:
        """Take `pieces` by id. The first one (blank) and tags such as `<|zh|>` are not used for spelling."""
        harmonic = math.log(len(pieces)) + 0.5772  # the sum of 1 / rank over all ranks, by Euler's constant
        self._pieces: dict[str, tuple[float, int]] = {}  # with a cost, the negative logarithm of a probability
        for piece_id, piece in enumerate(pieces):
            if piece_id > 0 and not (piece.startswith("<") and piece.endswith(">")):
                self._pieces.setdefault(piece, (math.log(piece_id * harmonic), piece_id))
        self._longest = max(map(len, self._pieces), default=0)
        self._one_by_one = not any(len(piece) > 1 and _HAN.search(piece) for piece in self._pieces)

    def spellings(self, text: str) -> list[tuple[int, ...]]:
        """Return every way in which a model may write `text`; empty if the vocabulary lacks one of its characters.

        A Chinese or Japanese character is a piece. A word of a spaced script begins with the mark `▁`, or may omit it
        after such a character; it is spelled as given or in lower case. A single piece without the mark does not count
        as a spelling, because it occurs in too many other words.
        """
        text = unicodedata.normalize("NFKC", text)
        if self._one_by_one and is_han(text):  # true of most words in a long list; only one spelling exists
            known = [self._pieces.get(char) for char in text]
            return [tuple(piece[1] for piece in known if piece)] if all(known) else []
        found: dict[tuple[int, ...], None] = {}
        for form in dict.fromkeys((text, text.lower())):
            marked, bare = _marked(form, "▁"), _marked(form, "")
            found[self._segment(marked)] = None
            if bare != marked and len(pieces := self._segment(bare)) > 1:
                found[pieces] = None
        return [pieces for pieces in found if pieces]

    def _segment(self, form: str) -> tuple[int, ...]:
        """Return the most probable segmentation (Kudo, ACL 2018); empty if there is none.

        The list of pieces has no probabilities, but each of its parts is sorted by them, and by Zipf's law they are
        proportional to 1 / rank. For 97 % of the rare words of an English text this gives sentencepiece's own pieces.
        """
        best: list[tuple[float, tuple[int, ...]] | None] = [(0.0, ())]  # up to each character; None: impossible
        for end in range(1, len(form) + 1):
            ways = []
            for start in range(max(0, end - self._longest), end):
                before, piece = best[start], self._pieces.get(form[start:end])
                if before and piece:
                    ways.append((before[0] + piece[0], (*before[1], piece[1])))
            best.append(min(ways, default=None))
        return best[-1][1] if best[-1] else ()


def context_graph(speller: Speller, hotwords: Iterable[Hotword]) -> ContextGraph | None:
    """Return a graph of the hotwords in all their spellings; None if the model cannot write any of them."""
    spellings = [
        Spelling(pieces, hotword.weight / DEFAULT_WEIGHT)
        for hotword in hotwords
        for pieces in speller.spellings(hotword.text)
    ]
    return ContextGraph(spellings) if spellings else None


def _marked(text: str, mark: str) -> str:
    """Convert `text` to the form of pieces: `▁` between words of a spaced script, `mark` before the first of them."""
    marked, space = "", False
    for char in text:
        if char.isspace():
            space = True
            continue
        alone = not marked or is_unspaced(marked[-1])  # no word precedes it
        if (alone or space) and not is_unspaced(char):
            marked += mark if alone else "▁"
        marked += char
        space = False
    return marked
