"""Characters that must not be separated by a line break: a base and its marks, a word and its punctuation."""

from __future__ import annotations

import unicodedata

from funasr_cli.unicode_ranges import SENTENCE_TERMINAL

_LEADING = frozenset("เแโใไເແໂໃໄ\u200d")
"""Thai and Lao vowels, which are written before their consonant, and the zero-width joiner."""

_MARKS = SENTENCE_TERMINAL | frozenset("…，、；：،؛,;:»")
"""Punctuation after a word; French puts a space before some of it."""

_TRAILING = _MARKS | frozenset("ะาำๅฯະາຳຽぁぃぅぇぉっゃゅょゎゕゖ・\u200c\u200d")
"""Characters that belong to the one before, though their Unicode category does not show it.

They are Thai and Lao vowels, small kana, the dot between Japanese names, and joiners.
"""

_CATEGORIES = frozenset({"Mn", "Mc", "Me", "Lm", "Pe", "Pf"})
"""Categories of marks, closing brackets and quotes, and modifiers of the letter before, such as 々, ー and ๆ."""

_KILLER = "\u103a"
"""Burmese asat: ends a syllable and joins nothing to it, although its combining class is that of a virama."""

_VIRAMA = 9
"""Unicode's combining class of the signs that join a consonant to the next, including the Khmer one."""


def is_joined(before: str, after: str) -> bool:
    """Whether two neighbouring words or characters must stay together, so that no line begins with `after`."""
    if (mark := after.strip()) and _MARKS.issuperset(mark):
        return before.strip() != ""
    left, right = before[-1:], after[:1]
    if not left.strip() or not right.strip():
        return False
    if left in _LEADING or (unicodedata.combining(left) == _VIRAMA and left != _KILLER):
        return True
    is_final = "\u1160" <= right <= "\u11ff"  # a medial vowel or final consonant in decomposed Hangul
    return unicodedata.category(right) in _CATEGORIES or right in _TRAILING or is_final
