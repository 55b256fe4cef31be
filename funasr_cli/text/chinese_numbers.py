"""Chinese numbers that are better read in figures: dates, times, percentages, amounts, telephone numbers.

After GB/T 15835-2011, on the cautious side: a date, a time, an ordinal from ten on and a number with its measure get
figures; a small number, a rough one (三五个, 几十) and what may be a name (双十一, 三十而立) stay in characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from funasr_cli.text.rewrite import Rewrite

DIGITS = dict(zip("零〇一二三四五六七八九幺两", "0012345678912", strict=True))
SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
NUMERALS = "".join(DIGITS) + "".join(SCALES)
"""The characters that numbers are written with."""

Span = tuple[int, int]

_N, _D, _H = f"[{NUMERALS}]", "[一二三四五六七八九]", "[一二两三四五六七八九]"
_TENS = f"(?:{_D}?十{_D}?|零{_D})"
_THOUSANDS = f"{_H}千(?:{_H}百{_TENS}?|零{_D}?十{_D}?|零{_D})?"
_SECTION = f"(?:{_THOUSANDS}|{_H}百{_TENS}?|{_D}?十{_D}?|{_H})"
_REST = f"(?:{_THOUSANDS}|零{_SECTION})"  # behind 万 or 亿: 三万五千, 三万零五百
_MILLIONS = f"{_SECTION}万{_REST}?"
_CARDINAL = re.compile(f"零|(?:{_MILLIONS}|{_SECTION})亿(?:{_REST}万{_REST}?|{_REST})?|{_MILLIONS}|{_SECTION}")
"""A well-formed number, such as neither 二三十 nor 十四五 is."""

_TIME_OF_DAY = "凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|夜里|今早|今晚|明早|明晚|昨晚|当晚"
_TIME = re.compile(
    rf"(?<![第这那{NUMERALS}])(?P<day>{_TIME_OF_DAY})?(?P<hour>{_N}{{1,3}})点"
    rf"(?:(?P<minute>{_N}{{1,3}})(?P<unit>分)?(?![分之钟{NUMERALS}])|(?P<word>半|钟|[一三]刻))?"
)
_YEAR = re.compile(f"(?<!{_N})(?P<year>[零〇一二三四五六七八九]{{4}}|[零〇一二三四五六七八九]{{2}})年")
_DATE = re.compile(
    f"(?<!农历)(?<!{_N})(?P<month>{_N}{{1,2}})月(?:(?P<day>{_N}{{1,3}})(?=[日号])|(?!{_N})(?P<part>[份初底中上下]?))"
)
_SHARE = re.compile(f"([百千])分之({_N}+)(?:点({_N}+))?(?:([到至])({_N}+)(?:点({_N}+))?(?!{_N}|分之|个))?")
_NUMBER = re.compile(f"((?:千(?![瓦克米伏赫])|[{NUMERALS.replace('千', '')}])+)(?:点({_N}+))?")

_MEASURES = re.compile(
    "[个年天月日号岁名位人户家口条项件种类次倍层楼章节页回集期批台辆架艘座栋间套所处只头匹棵颗粒支根张片块元角枚部首篇场轮股]|"
    "[周村县市省国级吨克米升亩度瓦伏秒毫厘]|公[里斤顷分]|平方|立方|千[瓦克米伏]|兆瓦|小时|分钟|点钟|星期|季度|世纪|赫兹|摄氏|"
    "[美欧日港]元|英镑|百分点"
)
"""What is counted; after it the number before it has figures."""

_EXACT = re.compile("个百分点|公[里斤顷]|[毫厘]米|千[瓦克米伏]|兆瓦|平方公?[里米]|立方米|摄氏度|[美欧]元|英镑")
"""With these even a number below ten has figures."""


def written(text: str) -> list[Rewrite]:
    """The numbers of `text` in figures: what to put where, in order."""
    changes: list[Rewrite] = []
    taken = [False] * len(text)
    for pattern, rule in _RULES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            for (low, high), figures in rule(match):
                changes.append(Rewrite(low, high, figures))
                taken[start:end] = [True] * (end - start)
    return sorted(changes, key=lambda change: change.start)


def cardinal(text: str) -> int | None:
    """The value of a well-formed Chinese number, None for anything else."""
    if not text or not _CARDINAL.fullmatch(text):
        return None
    total = section = digit = 0
    for char in text:
        scale = SCALES.get(char)
        if scale is None:
            digit = int(DIGITS[char])
        elif scale < SCALES["万"]:
            section, digit = section + (digit or 1) * scale, 0
        elif scale == SCALES["万"]:
            total, section, digit = total + (section + digit) * scale, 0, 0
        else:
            total, section, digit = (total + section + digit) * scale, 0, 0
    return total + section + digit


def _figures(value: int) -> str:
    """325万, 1亿5000万 and 3万亿, but 12345."""
    if value < SCALES["万"] or value % SCALES["万"]:
        return str(value)
    hundred_millions, ten_thousands = divmod(value // SCALES["万"], SCALES["万"])
    if ten_thousands == 0 and hundred_millions % SCALES["万"] == 0:
        return f"{hundred_millions // SCALES['万']}万亿"
    return (f"{hundred_millions}亿" if hundred_millions else "") + (f"{ten_thousands}万" if ten_thousands else "")


def _digits(text: str) -> str:
    return "".join(DIGITS.get(char, "x") for char in text)


def _share(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """百分之五点三, 千分之二, 百分之五到十."""
    sign = "%" if match[1] == "百" else "‰"
    low, high = _decimal(match[2], match[3]), _decimal(match[5], match[6])
    if low is None or (match[5] and high is None) or match.string.startswith("几", match.end()):
        return
    yield (match.start(), match.start(4) if match[4] else match.end()), low + sign
    if high is not None:
        yield (match.start(5), match.end()), high + sign


def _decimal(whole: str | None, part: str | None) -> str | None:
    value = cardinal(whole or "")
    if value is None or (part and not _digits(part).isdigit()):
        return None
    return f"{value}.{_digits(part)}" if part else str(value)


def _time(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """下午三点半, 十点二十分, 三点四十五; 三点五 is a number unless a time of day stands before it."""
    hour, minute = cardinal(match["hour"]), match["minute"]
    if hour is None or hour > 24:
        return
    if minute:
        value = cardinal(minute.removeprefix("零"))
        clear = len(minute) > 1 or (match["day"] and match["unit"])  # 以下三点十分重要
        if value is None or value > 59 or not clear:
            return
        yield match.span("minute"), f"{value:02}"
    elif (not match["word"] and (not match["day"] or hour == 1)) or (hour == 1 and not match["day"]):
        return  # 三点意见, 晚上一点声音都没有, 一点半点
    yield match.span("hour"), str(hour)


def _year(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """二零二四年, 九八年; not 七八年 and 三五年, which are seven or eight and a few."""
    year = _digits(match["year"])
    if len(year) == 4 or year[0] == "0" or (year > "50" and int(year[1]) != int(year[0]) + 1):
        yield match.span("year"), year


def _date(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """三月五日, 十二月, 三月份, 今年三月; not 八月十五, a feast."""
    month, day = cardinal(match["month"]), cardinal(match["day"] or "")
    if month is None or not 1 <= month <= 12 or (match["day"] and (day is None or not 1 <= day <= 31)):
        return
    if day or match["part"] or month >= 10 or match.string[: match.start()].endswith("年"):
        yield match.span("month"), str(month)
        if day:
            yield match.span("day"), str(day)


def _number(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    whole, part = match[1], match[2]
    before, after = match.string[: match.start()], match.string[match.end() :]
    rough = (before.endswith(("几", "数")) and whole[0] in SCALES) or after.startswith("几")
    if rough or before.endswith("分之") or after.startswith(("分之", "点")):
        return
    if part:
        number = re.fullmatch("([零一二三四五六七八九]+)[十百千]?[万亿]*", part)
        value = cardinal(whole)
        if number is None or value is None or after.startswith(("分", "刻")):
            return
        if len(number[1]) > 1 or value >= 10 or whole == "零" or number[1] != part or _MEASURES.match(after):
            yield (match.start(), match.start(2) + number.end(1)), f"{value}.{_digits(number[1])}"
        return
    value = cardinal(whole)
    if value is None or (len(whole) > 1 and not set(whole) & SCALES.keys()):
        figures = _digits(whole)
        if figures.isdigit() and _is_code(whole, figures, after):
            yield match.span(), figures
    elif _takes_figures(value, before, after):
        yield match.span(), _figures(value)


def _is_code(spoken: str, figures: str, after: str) -> bool:
    """Whether single digits are a telephone number, a room, a year; not 三五, 一二三四五 or 九一八."""
    if len(figures) == 2:
        return figures[1] in "05" and after.startswith("后")  # 九零后, 零五后
    steps = {int(b) - int(a) for a, b in pairwise(figures)}
    if steps in ({1}, {-1}, {0}):
        return False
    return len(figures) >= 5 or (len(figures) >= 3 and not set("幺零〇").isdisjoint(spoken))


def _takes_figures(value: int, before: str, after: str) -> bool:
    measured = bool(_MEASURES.match(after)) or (after.startswith(("多", "余")) and bool(_MEASURES.match(after, 1)))
    if value < 10:
        return bool(_EXACT.match(after))
    if after.startswith("届"):
        return False
    if value == 10:
        return before.endswith("第") or (measured and after[:1] not in ("多", "余"))
    return value >= 100 or before.endswith("第") or measured or after.startswith(("分", "万", "亿"))


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[tuple[Span, str]]]], ...] = (
    (_SHARE, _share),
    (_TIME, _time),
    (_YEAR, _year),
    (_DATE, _date),
    (_NUMBER, _number),
)
