"""Chinese words and their frequency: jieba's dictionary of 349,000 words with counts from a corpus."""

from __future__ import annotations

import math
from functools import cache
from itertools import accumulate

TOTAL = 60_101_967
"""The sum of all counts."""

FREQUENT = 3.3
"""A character below this surprise (more than some 30,000 in 60 million) is a word that can precede or follow nearly any
other."""


def cut(text: str) -> list[tuple[int, int]]:
    """Segment `text` into words of the dictionary in the most probable way; return the start and end of each."""
    import rjieba  # not at the top: loading its dictionary takes 33 MB and 0.13 s

    ends = list(accumulate(map(len, rjieba.cut(text, False))))
    return list(zip([0, *ends], ends, strict=False))


def is_word(word: str) -> bool:
    """Whether the dictionary has the word, however rare."""
    import rjieba

    return bool(rjieba.has_word(word))


@cache
def surprise(word: str) -> float:
    """How unusual a word is: −log10 of its share of the corpus; 7.8 for a word that is not in the dictionary."""
    import rjieba

    return math.log10(TOTAL / max(1, rjieba.suggest_freq(word) if is_word(word) else 1))


def total_surprise(text: str) -> float:
    """The sum of the surprises of a text's words."""
    return sum(surprise(text[low:high]) for low, high in cut(text)) if text else 0.0


@cache
def goes_anywhere(word: str) -> bool:
    """Whether a word is one frequent character but not a noun, place, number or adjective: 是, 以, 不, 会, 在, 个."""
    return len(word) == 1 and surprise(word) < FREQUENT and _tag(word) not in ("n", "f", "m", "a")


def is_adjective(word: str) -> bool:
    """Whether the dictionary tags `word` as an adjective."""
    return is_word(word) and _tag(word).startswith("a")


def is_verb(word: str) -> bool:
    """Whether the dictionary tags `word` as a verb."""
    return is_word(word) and _tag(word).startswith("v")


@cache
def person(word: str) -> bool:
    """Whether a word is tagged as a person's name, by the dictionary or, if it is not listed, by its characters."""
    import rjieba

    (text, tag), *_ = rjieba.tag(word)
    return text == word and tag.startswith("nr")


def _tag(word: str) -> str:
    import rjieba

    return str(rjieba.tag(word)[0][1])
