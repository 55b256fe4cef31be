"""How similar Chinese characters sound: their syllables in pinyin, and what speakers and recognisers confuse."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

POLYPHONES = frozenset(
    "行长重得都还调传乐降曾称藏盛觉差角朝奇塞弹恶省率薄校参折削辟模拓宿畜屏厦血给勒会似佛仔泊柏落露没壳粘"
)
"""Characters that often have their second reading; pypinyin lists one, often rare, for a third of all characters."""

NAME_READINGS = """
解 xie4 查 zha1 单 shan4 单 chan2 仇 qiu2 朴 piao2 区 ou1 缪 miao4 缪 miu4 万 mo4 尉 yu4 靓 liang4 盖 ge3 翟 zhai2
覃 qin2 牟 mu4 郗 chi1 召 shao4 洗 xian3 员 yun4 繁 po2 秘 bi4 种 chong2 黑 he4 能 nai4 谌 shen4 佴 nai4 隗 wei3
郇 xun2 郄 xi4 么 yao1 祭 zhai4 适 kuo4 句 gou1 乜 nie4 贲 bi4 费 bi4 氏 zhi1 枝 qi2 卜 bu3 龟 qiu1 兹 ci2 顿 du2
冒 mo4 阏 yan1 颉 xie2 筠 jun1 强 jiang4 六 lu4 埔 bu4 蚌 beng4 铅 yan2 番 pan1 涡 guo1 浚 xun4 荥 ying2 珲 hun2
洞 tong2 堡 pu4 堡 bu3 乐 lao4 莘 xin1 浒 xu3 枞 zong1 泌 bi4 蔚 yu4 栎 yue4 阿 e1 漯 ta4 犍 qian2 宕 tan4 峙 shi4
沌 zhuan4 陂 pi2 泷 shuang1 涌 chong1 崴 wei3 峒 tong2 侗 tong2 大 dai4 虹 jiang4 镐 hao4 术 zhu2 脉 mo4 臂 bei4
颈 geng3 钥 yue4 匙 chi2 轧 zha2
"""
"""Readings of characters in surnames (解, 万俟), places (六安, 大埔) and some terms, besides their usual ones."""

TONE, CONFUSION = 0.15, 0.3
"""Difference between two syllables in tone; in an initial, or in -n and -ng, that is often confused."""

Sound: TypeAlias = tuple[str, str]
"""Initial and final, equal for all syllables that are often confused with each other."""


@dataclass(frozen=True, slots=True)
class Syllable:
    """`initial` and `final` in pinyin, `tone` from 1 to 5, and the `sound` class of the syllable."""

    initial: str
    final: str
    tone: str
    sound: Sound


@cache
def readings(char: str) -> tuple[Syllable, ...]:
    """Return the usual readings of a Chinese character; none if pypinyin does not know it."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # phrase readings would take 44 MB
    from pypinyin import Style, pinyin

    said = pinyin(char, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, errors="ignore")
    syllables: dict[str, list[Syllable]] = {}
    for spelled in said[0] if said else ():
        syllables.setdefault(spelled[:-1], []).append(_syllable(spelled))
    usual = list(syllables.values())[: 2 if char in POLYPHONES else 1]
    return tuple(syllable for tones in usual for syllable in tones)


@cache
def listed_readings(char: str) -> tuple[Syllable, ...]:
    """Return the readings of a character in a hotword: the usual ones, and those in names."""
    return (*readings(char), *_name_readings().get(char, ()))


@cache
def listed_sounds(char: str) -> frozenset[Sound]:
    """Return the sound classes of a character in a hotword."""
    return frozenset(syllable.sound for syllable in listed_readings(char))


@cache
def sounds(char: str) -> frozenset[Sound]:
    """Return the sound classes of a character."""
    return frozenset(syllable.sound for syllable in readings(char))


@cache
def difference(char: str, listed: str) -> float:
    """Return 0 for characters with the same sound, up to 0.75 for those often confused, infinity for others.

    `listed` is a character of a hotword, which may be a name.
    """
    if char == listed:
        return 0.0
    alike = ((a, b) for a in readings(char) for b in listed_readings(listed) if a.sound == b.sound)
    return min((_difference(a, b) for a, b in alike), default=math.inf)


@cache
def _name_readings() -> Mapping[str, Sequence[Syllable]]:
    found: dict[str, list[Syllable]] = {}
    parts = iter(NAME_READINGS.split())
    for char, spelled in zip(parts, parts, strict=True):
        found.setdefault(char, []).append(_syllable(spelled))
    return found


def _syllable(spelled: str) -> Syllable:
    """Parse a syllable in pinyin with its tone as a digit at the end."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials, to_normal

    plain = to_normal(spelled)
    initial, final = to_initials(plain), to_finals(plain)
    return Syllable(initial, final, spelled[-1], _sound(initial, final))


def _difference(a: Syllable, b: Syllable) -> float:
    confused = (a.initial != b.initial) + (a.final.endswith("g") != b.final.endswith("g"))
    return TONE * (a.tone != b.tone) + CONFUSION * confused


def _sound(initial: str, final: str) -> Sound:
    """Return the sound class: z is zh, c is ch, s is sh, n is l, f is h; an is ang, en is eng, in is ing."""
    initial = {"zh": "z", "ch": "c", "sh": "s", "l": "n", "f": "h"}.get(initial, initial)
    if initial == "h" and final.startswith("u") and len(final) > 1:
        final = final[1:]  # fa and hua, fei and hui
    return initial, final[:-1] if final.endswith(("ang", "eng", "ing")) else final
