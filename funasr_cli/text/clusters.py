"""Characters that nothing may part: a base and its marks, a vowel and the consonant it is read with, a word and the
mark after it."""

from __future__ import annotations

import unicodedata

from funasr_cli.unicode_ranges import SENTENCE_TERMINAL

_LEADING = frozenset("เแโใไເແໂໃໄ\u200d")
"""Thai and Lao vowels that are written before their consonant, and the joiner."""

_MARKS = SENTENCE_TERMINAL | frozenset("…，、；：،؛,;:»")
"""What stands after a word; French has a space before some of them."""

_TRAILING = _MARKS | frozenset("ะาำๅฯະາຳຽぁぃぅぇぉっゃゅょゎゕゖ・\u200c\u200d")
"""What goes with the character before it, though Unicode's category does not say so: Thai and Lao vowels, small kana,
the dot between Japanese names, joiners."""

_CATEGORIES = frozenset({"Mn", "Mc", "Me", "Lm", "Pe", "Pf"})
"""Marks, closing brackets and quotes, and letters that modify the one before: 々, ー, Thai ๆ, half-width voicing."""

_KILLER = "\u103a"
"""Burmese: ends a syllable, and joins nothing to it though it is of the class of those that do."""

_VIRAMA = 9
"""Unicode's combining class of the signs that join a consonant to the next, Khmer's among them."""


def is_joined(before: str, after: str) -> bool:
    """Whether nothing may come between two neighbouring words or characters, so that no line begins with `after`."""
    if (mark := after.strip()) and _MARKS.issuperset(mark):
        return before.strip() != ""
    left, right = before[-1:], after[:1]
    if not left.strip() or not right.strip():
        return False
    if left in _LEADING or (unicodedata.combining(left) == _VIRAMA and left != _KILLER):
        return True
    is_final = "\u1160" <= right <= "\u11ff"  # a vowel or final of Hangul that is written in its letters
    return unicodedata.category(right) in _CATEGORIES or right in _TRAILING or is_final
