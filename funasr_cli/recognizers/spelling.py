"""How a model would write a word: the ids of its pieces, for hotwords."""

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
    """Words in the pieces of a vocabulary."""

    def __init__(self, pieces: Pieces) -> None:
        """`pieces` by id. Blank, which is the first, and tags such as `<|zh|>` spell nothing."""
        harmonic = math.log(len(pieces)) + 0.5772  # the sum of 1 / rank over all ranks, by Euler's constant
        self._pieces: dict[str, tuple[float, int]] = {}  # with a cost, the negative logarithm of a probability
        for piece_id, piece in enumerate(pieces):
            if piece_id > 0 and not (piece.startswith("<") and piece.endswith(">")):
                self._pieces.setdefault(piece, (math.log(piece_id * harmonic), piece_id))
        self._longest = max(map(len, self._pieces), default=0)
        self._one_by_one = not any(len(piece) > 1 and _HAN.search(piece) for piece in self._pieces)

    def spellings(self, text: str) -> list[tuple[int, ...]]:
        """Each way in which a model may write `text`; none where the vocabulary lacks one of its characters.

        A character of Chinese or Japanese is a piece. A word of a spaced script begins with the mark `▁` or, behind
        such a character, without; and it is written as it is given or in lower case. A single piece without the mark is
        no way to write such a word: it is in too many others.
        """
        text = unicodedata.normalize("NFKC", text)
        if self._one_by_one and is_han(text):  # as most of a long list: there is nothing to weigh
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
        """The most probable pieces (Kudo, ACL 2018); none where there is no way.

        The probabilities are not in the list of pieces, but each of its parts is in their order, and by Zipf's law they
        fall as one over the rank. For 97 % of the rare words of an English text that gives sentencepiece's own pieces.
        """
        best: list[tuple[float, tuple[int, ...]] | None] = [(0.0, ())]  # up to each character; None: there is no way
        for end in range(1, len(form) + 1):
            ways = []
            for start in range(max(0, end - self._longest), end):
                before, piece = best[start], self._pieces.get(form[start:end])
                if before and piece:
                    ways.append((before[0] + piece[0], (*before[1], piece[1])))
            best.append(min(ways, default=None))
        return best[-1][1] if best[-1] else ()


def context_graph(speller: Speller, hotwords: Iterable[Hotword]) -> ContextGraph | None:
    """The hotwords in every way that the model may write them; None where it can write none of them."""
    spellings = [
        Spelling(pieces, hotword.weight / DEFAULT_WEIGHT)
        for hotword in hotwords
        for pieces in speller.spellings(hotword.text)
    ]
    return ContextGraph(spellings) if spellings else None


def _marked(text: str, mark: str) -> str:
    """`text` as pieces write it: `▁` between words of a spaced script, `mark` where such a word stands first."""
    marked, space = "", False
    for char in text:
        if char.isspace():
            space = True
            continue
        alone = not marked or is_unspaced(marked[-1])  # no word is in front of it
        if (alone or space) and not is_unspaced(char):
            marked += mark if alone else "▁"
        marked += char
        space = False
    return marked
