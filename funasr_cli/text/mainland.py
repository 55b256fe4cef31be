"""Restore what OpenCC leaves or loses in the conversion to the simplified characters of mainland China.

OpenCC treats 著 and 着 as two characters; Taiwan, and therefore Whisper, writes 著 for both. OpenCC also writes 干 for
乾 and 升 for 昇 in names, where simplified text keeps the original characters.
"""

from __future__ import annotations

import re

from funasr_cli.lexicon import cut, is_word, person, total_surprise
from funasr_cli.surnames import SURNAMES
from funasr_cli.text.names import FAMILIAR
from funasr_cli.unicode_ranges import HAN

VARIANTS = {"甚么": "什么", "规画": "规划", "妳": "你", "牠": "它", "衞": "卫", "合著眼": "合着眼"}
"""Spellings that differ on the mainland after OpenCC has converted a text; both sides have the same length."""

DOUBTFUL = frozenset("乾徵昇陞脩")
"""Characters that are simplified in words, but not in names."""

PARTICLE_MARGIN = 0.5
"""Margin in `surprise` by which a text must be more common with 著 (著名) than with 着, the more frequent character."""

CONTEXT_CHARS = 6
"""Characters on each side that decide between 著 and 着."""

_WRITTEN = re.compile(
    "(?<=[显卓昭译遗拙撰专巨原土名所编])著(?![急手])|(?<=论)著(?!坐)|(?<=[最]新)著|(?<=合)著(?=[了的有作述成过])|(?<=知微|微知|明较)著|著(?=作权)"
    f"|(?<![{HAN}])著(?=[有述作书名])"
)
"""著 for writing and for "evident"; the particle does not begin a clause."""

_VARIANT = re.compile("|".join(map(re.escape, VARIANTS)))
_PLACE = re.compile("乾(?=[县州陵安元清务潭窑卦隆坤宁封符祐])")


def mainland(text: str, after: str) -> str:
    """Correct `after`, OpenCC's t2s conversion of `text`: the particle 着, 什么, and the characters of names."""
    after = _VARIANT.sub(lambda match: VARIANTS[match.group()], after)
    if "著" in after:
        after = _particles(after)
    for at, char in enumerate(text):
        if char in DOUBTFUL and after[at] != char and (_PLACE.match(text, at) or _in_name(after, at)):
            after = after[:at] + char + after[at + 1 :]
    return after


def _particles(text: str) -> str:
    """Return `text` with 着 for each 著, except where 著 is much more common."""
    chars = list(text)
    for at in (at for at, char in enumerate(text) if char == "著" and not _WRITTEN.match(text, at)):
        around = "".join(chars[max(0, at - CONTEXT_CHARS) : at]), text[at + 1 : at + 1 + CONTEXT_CHARS]
        after = around[1].replace("著", "着")
        if total_surprise(f"{around[0]}着{after}") - total_surprise(f"{around[0]}著{after}") < PARTICLE_MARGIN:
            chars[at] = "着"
    return "".join(chars)


def _in_name(text: str, at: int) -> bool:
    """Whether a character of simplified text belongs to a name: after a surname, or within one."""
    words = cut(text)
    number = next(number for number, (_, end) in enumerate(words) if end > at)
    start, end = words[number]
    word = text[start:end]
    before = [text[low:high] for low, high in words[max(0, number - 2) : number]]
    alone = end - start == 1
    if word[0] in SURNAMES and start < at <= start + 2 and (not is_word(word) or _is_person(word)):
        return True  # 毕升, 魏征; not 高升
    if before and before[-1] in SURNAMES and (alone or _is_person(word)):
        return True  # 张乾, 李东昇; not 高干燥
    if not before or not alone:
        return False
    named = len(before[-1]) == 2 and before[-1][0] in SURNAMES and person(before[-1])  # 林志昇
    spelled = len(before) == 2 and before[0] in SURNAMES and len(before[1]) == 1 and before[1] not in _NO_NAME  # 李宗乾
    return before[-1] in FAMILIAR or named or spelled


def _is_person(word: str) -> bool:
    """Whether a word is a name; excludes 牛肉干 (dried beef) and the like, which jieba takes for names."""
    return not is_word(word) or (person(word) and not (len(word) > 2 and is_word(word[:-1])))


_NO_NAME = frozenset("未没不还已都也快太很好全刚晒烘擦吹晾弄变口嘴")
"""Words before 乾 (dry) or 昇 (rise) as a verb or adverb; not the first half of a given name."""
