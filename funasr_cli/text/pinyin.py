"""How alike Chinese characters sound: their syllables in pinyin, and what speakers and recognisers confuse."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

POLYPHONES = frozenset(
    "行长重得都还调传乐降曾称藏盛觉差角朝奇塞弹恶省率薄校参折削辟模拓宿畜屏厦血给勒会似佛仔泊柏落露没壳粘"
)
"""Characters that are often said with their second syllable. pypinyin lists rare ones too, for a third of all."""

TONE, CONFUSION = 0.15, 0.3
"""The difference between two syllables in tone; in an initial, or in -n and -ng, that is often confused."""

Sound: TypeAlias = tuple[str, str]
"""Initial and final, the same for all syllables that are often confused with each other."""


@dataclass(frozen=True, slots=True)
class Syllable:
    """`initial` and `final` in pinyin, `tone` from 1 to 5, and the `sound` it is heard as."""

    initial: str
    final: str
    tone: str
    sound: Sound


@cache
def readings(char: str) -> tuple[Syllable, ...]:
    """The usual ways to say a Chinese character; none for one that pypinyin does not know."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # the readings of phrases would take 44 MB
    from pypinyin import Style, pinyin
    from pypinyin.contrib.tone_convert import to_finals, to_initials, to_normal

    said = pinyin(char, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, errors="ignore")
    syllables: dict[str, list[Syllable]] = {}
    for spelled in said[0] if said else ():
        plain = to_normal(spelled)
        initial, final = to_initials(plain), to_finals(plain)
        syllables.setdefault(plain, []).append(Syllable(initial, final, spelled[-1], _sound(initial, final)))
    usual = list(syllables.values())[: 2 if char in POLYPHONES else 1]
    return tuple(syllable for tones in usual for syllable in tones)


@cache
def sounds(char: str) -> frozenset[Sound]:
    """What the character is heard as."""
    return frozenset(syllable.sound for syllable in readings(char))


@cache
def difference(char: str, other: str) -> float:
    """0 for characters that sound the same, up to 0.75 for those that are often confused, infinite for others."""
    if char == other:
        return 0.0
    alike = ((a, b) for a in readings(char) for b in readings(other) if a.sound == b.sound)
    return min((_difference(a, b) for a, b in alike), default=math.inf)


def _difference(a: Syllable, b: Syllable) -> float:
    confused = (a.initial != b.initial) + (a.final.endswith("g") != b.final.endswith("g"))
    return TONE * (a.tone != b.tone) + CONFUSION * confused


def _sound(initial: str, final: str) -> Sound:
    """One for z and zh, c and ch, s and sh, n and l, f and h; for an and ang, en and eng, in and ing."""
    initial = {"zh": "z", "ch": "c", "sh": "s", "l": "n", "f": "h"}.get(initial, initial)
    if initial == "h" and final.startswith("u") and len(final) > 1:
        final = final[1:]  # fa and hua, fei and hui
    return initial, final[:-1] if final.endswith(("ang", "eng", "ing")) else final
