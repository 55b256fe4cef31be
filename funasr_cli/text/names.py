"""Names of people, recognised by their surnames."""

from __future__ import annotations

import re

from funasr_cli.lexicon import cut, is_word, person
from funasr_cli.surnames import COMPOUND_SURNAMES, SURNAMES

FAMILIAR = ("老", "小", "阿")
"""Prefixes of the surnames of acquaintances."""

_TITLED = re.compile(
    "(?:先生|女士|小姐|太太|主任|部长|局长|处长|科长|厅长|院长|校长|省长|市长|县长|会长|董事长|书记|秘书长|老师|教授|博士|医生|大夫"
    "|律师|法官|检察官|警官|同志|老板|经理|总(?=经理|裁|监)|委员|队长|工程师|师傅|阿姨|叔叔|某|氏)"
)


def is_name(word: str) -> bool:
    """Whether a word in simplified characters is probably a person's name, not an ordinary word."""
    if not 2 <= len(word) <= 4 or not (word[0] in SURNAMES or word[:2] in COMPOUND_SURNAMES):
        return False
    if is_word(word):
        return person(word)
    return cut(word)[0][1] <= 1 + (word[:2] in COMPOUND_SURNAMES)


def begins_name(text: str, at: int) -> bool:
    """Whether a character is a surname in simplified text: with a title, as 老余, or with a given name."""
    start, end = next((start, end) for start, end in cut(text) if end > at)
    if start != at:
        return False
    if end > at + 1:
        return end >= at + 3 and person(text[at:end])
    familiar = text[at - 1 : at] in FAMILIAR and text[at - 1 : at + 1] != "小于"
    return bool(familiar or _TITLED.match(text, end)) or any(person(text[at : at + count]) for count in (2, 3))
