"""Finds numbers with their units, dates and times in a text; lines of subtitles do not split them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from funasr_cli.text.itn.chinese_context import is_measured
from funasr_cli.text.itn.chinese_numerals import NUMERALS
from funasr_cli.text.itn.english_numerals import NUMBER_WORDS
from funasr_cli.unicode_ranges import HAN

_N = f"(?:[0-9]+|[{NUMERALS}]+)"

_FIGURES = re.compile(
    r"(?:百分之|[$€£¥￥第] ?)?[0-9０-９](?:[0-9０-９.,:/·–-]*[0-9０-９])?[十百千万亿]*(?:[多余几][万亿]*)?"
)
"""A number in figures, also a time or a range, with a prefix such as $ or 第 and with Chinese scales such as 万."""


_MOMENT = re.compile(
    f"{_N}年(?:{_N}月)?(?:{_N}[日号])?|{_N}月{_N}[日号]|{_N}[点时](?:{_N}分(?:{_N}秒)?|半)|{_N}小时{_N}分钟?"
)
"""A date, a time of day, a duration."""

_CHINESE_UNIT = re.compile(
    "[兆吉]?瓦时|千瓦时?|[兆吉]瓦|平方[公千厘]?[里米]|立方[厘分]?米|个?(?:百分点|基点)|[摄华]氏度|[千毫]克|公[里斤顷]"
    "|[千厘毫微纳]米|(?:元)?人民币|[美欧日港]元|年代|周岁|小时|分钟|季度|[届时点分秒%‰℃度]"
)
"""Units of more than one character, and single characters such as 届 and ℃ that `is_measured` does not cover."""

_UNIT = re.compile(
    r" ?(?:%|‰|°[CF]?|℃"
    r"|(?:per ?cent|percentage points?|basis points?|hundred|thousand|million|billion|trillion|dozen"
    r"|dollars?|cents|euros?|pounds?|yuan|RMB|CNY|USD|EUR|degrees?|celsius|fahrenheit"
    r"|[kcmnμ]?m[²³]?|[km]?g|[TGMk]?(?:W|Wh|Hz|V|B|bps)|kph|km/h|mph|tons?|tonnes?|lit(?:er|re)s?"
    r"|(?:kilo|centi|milli)?met(?:er|re)s?|(?:kilo|milli)?grams?"
    r"|(?:kilo|mega|giga)watts?(?: hours?)?|miles?|feet|inches"
    r"|(?:milli)?seconds?|minutes?|hours?|days?|weeks?|months?|years?|times|o'clock|[ap]\.m\.|[ap]m)(?![A-Za-z]))",
    re.IGNORECASE,
)
"""A unit after a number in a script with spaces."""

_WORD = re.compile("[A-Za-z]+")
_HAN = re.compile(f" ?[{HAN}]")

MAX_UNITS = 3
"""Maximum number of units after a number, as in 5 million dollars, or 20 million kilowatt hours."""


def quantities(text: str, spoken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the span of each number with its unit. `spoken` are the spans of the numbers in words."""
    for match in _MOMENT.finditer(text):
        yield match.span()
    figures = (match.span() for match in _FIGURES.finditer(text))
    words = (match.span() for match in _WORD.finditer(text) if match.group().lower() in NUMBER_WORDS)
    for start, end in (*figures, *words, *spoken):
        yield start, _end_of_unit(text, end)


def _end_of_unit(text: str, end: int) -> int:
    for _ in range(MAX_UNITS):
        after = end + text.startswith(" ", end)
        if unit := _CHINESE_UNIT.match(text, after) or _UNIT.match(text, end):
            end = unit.end()
        elif _HAN.match(text, end) and is_measured(text[after : after + 4]):
            return after + 1 + text.startswith(("多", "余"), after)
        else:
            break
    return end
