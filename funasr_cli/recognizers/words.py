"""Join the pieces that a model writes to words, and attach punctuation."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from funasr_cli.transcript import Token

CLINGS_TO_NEXT = frozenset("\"'“¿([{「『《（")
NUMBER_MARKS = (".", ",", ":")
CLINGS_TO_PREVIOUS = frozenset("\"'.。,，!！?？:：;；…”)]}、」』》）%")

MAX_WORD_S = 0.8
"""Maximum seconds that count as one word; the rest of a longer one is a pause, or speech without words."""

MIN_CONFIDENCE = 1e-4
"""Lower limit of a word's probability, so that no single word outweighs all others in a mean."""


def attach_punctuation(words: Iterable[Token]) -> list[Token]:
    """Join punctuation to the word it belongs to; the word keeps its own times."""
    joined: list[Token] = []
    opening = ""
    for word in words:
        mark = word.text.strip()
        if joined and not opening and mark and CLINGS_TO_PREVIOUS.issuperset(mark) and not word.text.startswith(" "):
            joined[-1] = replace(joined[-1], text=joined[-1].text + word.text)
        elif mark and CLINGS_TO_NEXT.issuperset(mark):
            opening += word.text
        else:
            joined.append(replace(word, text=opening + word.text))
            opening = ""
    if opening and joined:
        joined[-1] = replace(joined[-1], text=joined[-1].text + opening)
    return joined


def join_pieces(pieces: Iterable[Token]) -> list[Token]:
    """Join sentencepiece's pieces to words; `▁` begins a word.

    Pieces of a spaced script join into words, with mean confidence, from the first start to the last end. A character
    of a script without spaces is a word of its own; a space between two such characters is dropped.
    """
    words: list[Token] = []
    sizes: list[int] = []  # pieces in each word
    space = False
    for piece in pieces:
        space = space or piece.text.startswith("▁")
        text = piece.text.replace("▁", " ").strip(" ")
        if not text:
            continue
        before = words[-1].text[-1] if words else ""
        if words and not space and _spelled(before) and _spelled(text[0]):
            last, size = words[-1], sizes[-1]
            confidence = (last.confidence * size + piece.confidence) / (size + 1)
            words[-1] = replace(piece, text=last.text + text, start=last.start, confidence=confidence)
            sizes[-1] += 1
        else:
            lead = " " if space and words and not (is_unspaced(before) and is_unspaced(text[0])) else ""
            words.append(replace(piece, text=lead + text))
            sizes.append(1)
        space = False
    return words


def join_numbers(words: Iterable[Token]) -> list[Token]:
    """Join numbers that were split at a point, comma or colon: 3.5%, 1,000, 9:30."""
    joined: list[Token] = []
    for word in words:
        before = joined[-1].text if joined else ""
        if before[-1:] in NUMBER_MARKS and before[-2:-1].isdigit() and word.text[:1].isdigit():
            joined[-1] = replace(word, text=before + word.text, start=joined[-1].start)
        else:
            joined.append(word)
    return joined


def _spelled(char: str) -> bool:
    """Whether the character can be part of a word of a spaced script."""
    return (char.isalnum() and not is_unspaced(char)) or char in "'’-"


def is_unspaced(char: str) -> bool:
    """Whether the character belongs to Chinese or Japanese writing, including its punctuation."""
    return unicodedata.east_asian_width(char) in "WF" and not "가" <= char <= "힣"


def mean_log_probability(words: Sequence[Token]) -> float:
    """Return the mean of the logarithms of the words' probabilities; minus infinity if there are no words."""
    if not words:
        return -math.inf
    return sum(math.log(max(word.confidence, MIN_CONFIDENCE)) for word in words) / len(words)
