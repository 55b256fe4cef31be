"""Dates and times in Chinese speech."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from funasr_cli.text.itn.chinese_context import TIME_OF_DAY, is_changed, is_measured, is_scheduled, is_stated
from funasr_cli.text.itn.chinese_numerals import HIDDEN, NUMERALS, cardinal, digits

Span = tuple[int, int]

_N = f"[{NUMERALS}]"

TIME = re.compile(
    rf"(?<![第这那A-Za-z{NUMERALS}])(?P<day>{TIME_OF_DAY})?(?P<hour>{_N}{{1,3}})(?P<mark>点|时(?![辰候间代期常段差区效速]))"
    rf"(?:(?P<minute>{_N}{{1,3}})(?P<unit>分)?(?!分|钟|刻|之(?![后前内间])|{_N}(?!{_N}?秒))|(?P<word>半|钟|整|[一三]刻)|差(?P<lacking>{_N}{{1,3}})(?=分))?"
)
YEAR = re.compile(f"(?<![{NUMERALS}点])(?P<year>[零〇一二三四五六七八九]{{2,4}})年(?![华级])")
DATE = re.compile(
    f"(?<!农历)(?<![{NUMERALS}点])(?P<month>{_N}{{1,2}})月(?:(?P<day>{_N}{{1,3}})(?=[日号]|[到至]{_N}{{1,3}}[日号])|(?![{NUMERALS}{HIDDEN}]|初{_N})(?P<part>[份初底中上下]?))"
)

_TO_TIME = re.compile(f"[到至]{_N}{{1,3}}点(?:{_N}{{2}}|半|钟|整|[一三]刻)")
_TO_HOUR = re.compile(f"[到至]{_N}{{2,3}}点(?!{_N})")
_FROM_HOUR = re.compile(f"{_N}点[到至]$")
_WITHIN_YEAR = re.compile(f"{_N}{{1,2}}月(?!间)|[一二三四]季度|[上下]半年|[年]?[初底末](?!次)")


def time(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 下午三点半, 十点二十分, 三点四十五 and 十四时 in figures; the context decides on 三点五 and 三点零五."""
    hour, minute = cardinal(match["hour"]), match["minute"]
    if hour is None or hour > 24:
        return
    if match["lacking"] and (lacking := cardinal(match["lacking"])):
        yield match.span("lacking"), str(lacking)
    elif minute:
        value = cardinal(minute.removeprefix("零"))
        if value is None or value > 59 or not _is_clock(match):
            return
        yield match.span("minute"), f"{value:02}"
    elif match["mark"] == "时":
        if not match["day"] and hour < 10 and not match.string[: match.start()].endswith(("日", "号")):
            return
    elif hour > 12 and _is_span(match):
        pass  # 十四点到十六点
    elif (not match["word"] and (not match["day"] or hour == 1)) or (hour == 1 and not match["day"]):
        return  # 三点意见, 晚上一点声音都没有, 一点半点
    yield match.span("hour"), str(hour)


def _is_span(match: re.Match[str]) -> bool:
    """Whether a whole hour is one end of a time span."""
    return bool(_TO_HOUR.match(match.string, match.end()) or _FROM_HOUR.search(match.string[: match.start()]))


def _is_clock(match: re.Match[str]) -> bool:
    """Whether hour and minute are a time, not a decimal number or points of a speech (以下三点十分重要)."""
    minute, before, after = match["minute"], match.string[: match.start()], match.string[match.end() :]
    if match["unit"] and match["mark"] == "时":
        return True
    if not minute.startswith("零"):
        return len(minute) > 1 or bool(match["day"] and match["unit"])
    if match["unit"] or _TO_TIME.match(after):
        return not is_changed(before)
    return bool(match["day"] or is_scheduled(before, after)) and not (is_measured(after) or is_stated(before))


def year(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 二零二四年, 九八年 and 公元前二二一年 in figures; not 七八年 (seven or eight) and 三五年 (a few years)."""
    year = digits(match["year"])
    rough = year == "35" or all(int(b) - int(a) == 1 for a, b in pairwise(year))
    if len(year) == 4 or not rough or year[0] == "0" or _WITHIN_YEAR.match(match.string, match.end()):
        yield match.span("year"), year


def date(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 三月五日, 十二月, 三月份 and 今年三月 in figures; not 八月十五, a holiday."""
    month, day = cardinal(match["month"]), cardinal(match["day"] or "")
    if month is None or not 1 <= month <= 12 or (match["day"] and (day is None or not 1 <= day <= 31)):
        return
    if day or match["part"] or month >= 10 or match.string[: match.start()].endswith("年"):
        yield match.span("month"), str(month)
        if day:
            yield match.span("day"), str(day)
