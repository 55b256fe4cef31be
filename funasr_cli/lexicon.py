"""The words of Chinese and how common they are: jieba's dictionary, 349,000 words with their counts in a corpus."""

from __future__ import annotations

import math
from functools import cache
from itertools import accumulate

TOTAL = 60_101_967
"""The sum of all counts."""

FREQUENT = 3.3
"""Below this surprise, some 30,000 in 60 million, a character is a word that stands beside nearly any other."""


def cut(text: str) -> list[tuple[int, int]]:
    """Start and end of each word of `text`: the most probable way to part it into words of the dictionary."""
    import rjieba  # here, because its dictionary takes 33 MB and 0.13 s

    ends = list(accumulate(map(len, rjieba.cut(text, False))))
    return list(zip([0, *ends], ends, strict=False))


def is_word(word: str) -> bool:
    """Whether the dictionary has it, be it ever so rare."""
    import rjieba

    return bool(rjieba.has_word(word))


@cache
def surprise(word: str) -> float:
    """How unusual a word is: minus the decimal logarithm of its share of the corpus; 7.8 for one that it lacks."""
    import rjieba

    return math.log10(TOTAL / max(1, rjieba.suggest_freq(word) if is_word(word) else 1))


def total_surprise(text: str) -> float:
    """The surprises of the words of a text, added up."""
    return sum(surprise(text[low:high]) for low, high in cut(text)) if text else 0.0


@cache
def goes_anywhere(word: str) -> bool:
    """Whether a word is one frequent character, and no noun, place, number or adjective: 是, 以, 不, 会, 在, 个."""
    return len(word) == 1 and surprise(word) < FREQUENT and _tag(word) not in ("n", "f", "m", "a")


def is_adjective(word: str) -> bool:
    """Whether the dictionary has `word` as an adjective."""
    return is_word(word) and _tag(word).startswith("a")


def is_verb(word: str) -> bool:
    """Whether the dictionary has `word` as a verb."""
    return is_word(word) and _tag(word).startswith("v")


@cache
def person(word: str) -> bool:
    """Whether a word is tagged as a person's name, by the dictionary or, if it lacks the word, by its characters."""
    import rjieba

    (text, tag), *_ = rjieba.tag(word)
    return text == word and tag.startswith("nr")


def _tag(word: str) -> str:
    import rjieba

    return str(rjieba.tag(word)[0][1])
