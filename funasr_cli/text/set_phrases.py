"""Words and phrases that are written in characters, whatever numbers are in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from funasr_cli.text.chinese_numbers import NUMERALS
from funasr_cli.text.english_words import NUMBER_WORDS

_N, _D = f"[{NUMERALS}]", "[一二三四五六七八九]"

PATTERNS = (
    f"(?<!{_N})二?十{_D}?大(?!多|约|概|于)",  # 二十大精神, 十大品牌
    f"第?{_N}+届",  # 十一届三中全会, 第二十届中央委员会
    f"{_D}中全会",
    f"十{_D}?五(?=规划|计划|纲要|期间|时期|以来|开局|收官)",
    f"(?:正月|腊月|冬月|农历{_N}+月)[初十廿]?{_N}+",
    f"路易{_N}+|亨利{_N}+|查理{_N}+",
    f"数以{_N}+计",
)
"""Party congresses, five-year plans, days of the lunar calendar, kings: regular expressions."""

PHRASES = (
    "双十一 双十二 十一黄金周 十月革命 二万五千里长征 两万五千里长征 八百里 二十四节气 三百六十行 十八层地狱",
    "一百单八将 一百零八将 一千零一夜 十万个为什么 十万火急 十万八千里 十万大山 三千烦恼丝 三千世界 弱水三千",
    "三千宠爱 千儿八百 万儿八千 正经八百 不怕一万 怕一万 一千道一万 一百个不 一百个放心 一万个不 一万个放心",
    "一万年太久 一千个读者 三十年河东 三十年河西 十年树木 十年寒窗 十年磨一剑 十年如一日 十年生死 十年浩劫",
    "十年动乱 十月怀胎 五代十国 十天半个月 十天半月 十个手指 十个指头 七零八落 七零八碎",
)
"""Feasts, movements, titles and idioms that would get figures without this."""


def protecting(words: Iterable[str]) -> re.Pattern[str]:
    """What finds, in a text, all of these and those of `words` that have a number in them."""
    numeric = {word for word in words if re.search(_N, word) or not NUMBER_WORDS.isdisjoint(word.lower().split())}
    whole = map(_whole, sorted({*" ".join(PHRASES).split(), *numeric}, key=len, reverse=True))
    return re.compile("|".join([*whole, *PATTERNS]), re.IGNORECASE)


def _whole(phrase: str) -> str:
    """An expression for `phrase` where it is no part of a longer number."""
    before, after = (f"(?<!{_N})" if phrase[0] in NUMERALS else ""), (f"(?!{_N})" if phrase[-1] in NUMERALS else "")
    return before + re.escape(phrase) + after
