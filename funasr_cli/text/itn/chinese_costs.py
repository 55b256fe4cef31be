"""How unlikely a number is at a place in a Chinese text, on the scale of the words of `chinese_words`.

There are no counts of numbers: each digit costs one, and the context makes a number more or less likely, by roughly the
frequency of that context.
"""

from __future__ import annotations

import re

from funasr_cli.lexicon import goes_anywhere, is_verb, is_word
from funasr_cli.text.itn.chinese_codes import CALLED, SWITCH
from funasr_cli.text.itn.chinese_context import (
    TIME_OF_DAY,
    counts_others,
    counts_persons,
    is_changed,
    is_measured,
    is_stated,
)
from funasr_cli.text.itn.chinese_numerals import DIGITS, NUMERALS, SCALES, cardinal, digits

NUMBER = 2.0
"""The cost of a number, in addition to the cost of its digits."""

FITTING = -4.0
"""Added to the cost of a number if a measure word or another sign shows that it ends there."""

DOUBTFUL = 2.0
"""Added if a number is unexpected at its place: 百分之三百万, 十二块五百."""

MOBILE_DIGITS = 11
"""The number of digits of a mobile telephone number."""

_N, _D = f"[{NUMERALS}]", "[一二三四五六七八九]"

_ROUGH = re.compile(
    f"(?:{_D}?十|[百千万亿])?(?:八(?=十)|一[二两]|二三|两三|三四|四五|五六|六七|七八|八九|三五)(?:[十百千万亿]+|$)"
)
_SHORT = re.compile("(.+[百千万亿])" + _D)
_RECENT = re.compile("19|20[0-4]")
_MOBILE = re.compile("1[3-9].{9}")
_BEFORE_MOBILE = re.compile("[1-9]{1,2}(?=1[3-9].{9}$).{11}")
_FEAST = "51|61|71|81|38|54"
_BEFORE_FEAST = re.compile(f"(?:(?:19|20[0-4]).|1[3-9].{{9}})(?:{_FEAST})")
_OF_SHARE = re.compile(f"分之(?:{_N}+(?:点{_N}+)?[到至])?负?(?:{_N}+点)?$")
_OF_UNIT = re.compile(f"{_N}[度块米]$")
_AFTER_UNIT = re.compile("[年月时分元块]$")
_CLOCK = re.compile(f"(?<!{_N})(?<!分之)(?:二?十[一二三四]?|二十|[一二两三四五六七八九])点$")
_IN_INDEX = re.compile(f"[百千]{_N}*点$")
_YEAR = re.compile("[学财]?年(?![级华])")
_OLD = re.compile("里(?![面边头程])")
_POINT = re.compile(f"点{_N}")
_TO = re.compile(f"[到至比乘]{_N}")
_DOTTED = re.compile(f"[到至比]{_N}|点{_N}+点|点[A-Za-z]")
_LABEL = {
    3: re.compile("[号室房路次]|[国省县]道|医院"),
    4: re.compile("次列车|次航班|路公交|路车"),
}
_LATER = re.compile("(?:分钟|小时|天|年|个月|周|星期)[之以]?[后前]")
_MAY_COUNT = tuple("手刀句枪脚拳步声曲阵串束堆滴段排行圈盘局档席幕针把口")
_IN_DAY = re.compile(f"(?:{TIME_OF_DAY}){_N}{{1,3}}点$")
_AVERAGE = re.compile("[每均]")  # 平均每户二点六二人
_ALONE = re.compile(f"{_N}?(?!{_N})")


def fraction_cost(spoken: str, before: str, after: str) -> float | None:
    """Return the cost of digits after 点, or after 度, 块 or 米: 一四一五九, 五亿; None for anything else."""
    bare = spoken if before[-1] != "点" else spoken.rstrip("百千万亿")
    if not digits(bare).isdigit() or "两" in bare:
        return None
    cost = len(bare) + (3.5 if bare.endswith("零") and after else 0.0)
    if after.startswith("十") and _CLOCK.search(before) and bare in tuple("一二三四五"):
        cost += 2 * DOUBTFUL if _IN_DAY.search(before) else 1.5 * DOUBTFUL  # 早上八点二十几个人
    if before[-1] != "点":
        return cost + (0.0 if len(bare) == 1 else _end_cost(spoken, after))
    if _OF_SHARE.search(before):
        fits = after.startswith("个百分点")
    else:
        counts_last = len(bare) > 1 and bare == spoken and counts_persons(after) and not _AVERAGE.search(before)
        counts_last = counts_last or (len(bare) > 1 and bool(_LATER.match(after)))
        is_date = after.startswith(tuple("月号日")) and not after.startswith(("日元", "日圆"))
        fits = (_counts(spoken, after) and not is_date) or after.startswith(("刻", "分"))
        fits = (fits and not counts_last) or bool(_POINT.match(after) or _TO.match(after))
        fits = fits or (after.startswith("点") and bool(_IN_INDEX.search(before)))
    return cost + (FITTING if fits else _end_cost(spoken, after))


def number_cost(spoken: str, before: str, after: str, is_first: bool = True) -> float | None:
    """Return the cost of a number, a code, a year or an approximate number; None for anything else.

    `is_first`: no other numeral comes before it.
    """
    plain = digits(spoken)
    cost = NUMBER + sum(char in DIGITS for char in spoken) + spoken.startswith("十")
    if is_first and len(spoken) > 1:
        if spoken[0] == "零" and _AFTER_UNIT.search(before):  # 三年零六个月
            spoken = spoken[1:]
            plain = digits(spoken)
        elif _ROUGH.fullmatch(spoken):
            return cost + (FITTING if is_measured(after) or after.startswith(("到", "至")) else 0.0)
    if len(spoken) > 1 and plain.isdigit():
        return None if "两" in spoken else cost + _code_cost(plain, spoken, before, after)
    value = cardinal(spoken)
    if value is not None and value >= 10 and counts_others(before, after):
        return cost + _end_cost(spoken, after)
    if value is not None:
        return cost + _place_cost(value, spoken, before, after)
    short = _SHORT.fullmatch(spoken)
    return cost + 0.5 + _end_cost(spoken, after) if short and cardinal(short[1]) is not None else None


def _counts(spoken: str, after: str) -> bool:
    """Whether a measure word comes next, but not 三季度, or 一度 (once) with its verb."""
    if (
        after.startswith("季度")
        or (spoken[-1] == "一" and after == "起")
        or (spoken[-1] == "一" and after[:1] in tuple("度路道块面") and is_verb(after[1:3]))
    ):
        return False
    return is_measured(after) or bool(_OLD.match(after))


def _end_cost(spoken: str, after: str) -> float:
    """Return the cost added if no measure word ends a number: its last digit may belong to the next word."""
    if not after or spoken[-1] in "万亿" or after[0] in NUMERALS:
        return 0.0
    if spoken[-1] == "一" and after == "起":
        return -1.0  # so many cases, or together
    is_odd = not goes_anywhere(after[0]) and not any(is_word(after[:end]) for end in (2, 3, 4))
    return 3.0 if is_odd else 1.5


def _code_cost(plain: str, spoken: str, before: str, after: str) -> float:
    """Return the cost added for single digits: length shows years and telephone numbers, context shows rooms."""
    length = len(plain)
    if _YEAR.match(after) and "幺" not in spoken and not _OF_SHARE.search(before) and not _OF_UNIT.search(before):
        if length == 4:
            century, year = int(plain[:2]), int(plain[2:])
            return -6.0 if century in (19, 20) or (10 <= century <= 21 and year - century != 1) else 0.0
        return FITTING if length in (2, 3) else DOUBTFUL
    if _MOBILE.fullmatch(plain):
        return -3.0
    is_called = bool(CALLED.search(before[-4:]))
    if (is_before_mobile(plain) and not is_called) or is_before_feast(plain):
        return DOUBTFUL + _end_cost(spoken, after)
    if _DOTTED.match(after):
        return -2.0
    follows_code = before[-1:] in DIGITS and not _RECENT.match(digits(before[-4:]))
    if _RECENT.match(plain) and length in (4, 5) and _ALONE.match(after) and not (is_called or follows_code):
        return -1.5 if length == 4 else 2.0 + _end_cost(spoken, after)
    if length > 3 and after.startswith("号"):
        return -1.5 if is_called else 0.0
    if length > 2 and SWITCH.match(after):
        return -1.5
    if (length in _LABEL and _LABEL[length].match(after)) or (length == 2 and after.startswith("后")):
        return -1.5
    if before and before[-1].isascii() and after.startswith("次"):
        return -2.0
    if length > 2 and before and before[-1].isascii():
        return 0.5
    usual = 0.5 if length == 2 else -1.0 if is_called and length > 2 else 0.0
    return usual + _end_cost(spoken, after)


def is_before_mobile(plain: str) -> bool:
    """Whether the first digits may belong to a word before a telephone number: 张三|一三八零零一三八零零零."""
    return bool(_BEFORE_MOBILE.fullmatch(plain))


def is_before_feast(plain: str) -> bool:
    """Whether the last digits may be a holiday after a year or a mobile telephone number: 二零二六|五一."""
    return bool(_BEFORE_FEAST.fullmatch(plain))


def _place_cost(value: int, spoken: str, before: str, after: str) -> float:
    """Return the cost that its neighbours add to a well-formed number."""
    if _OF_SHARE.search(before):
        if not {"万", "亿"}.isdisjoint(spoken):
            return 2 * DOUBTFUL
        fits = bool(_POINT.match(after) or _TO.match(after)) or after.startswith("个百分点")
        if not fits and (is_measured(after) or not {"百", "千"}.isdisjoint(spoken)):
            return DOUBTFUL
    elif _TO.match(after) or after.startswith("分之"):
        fits = True
    elif _OF_UNIT.search(before):
        return 0.0 if len(spoken) == 1 else 1.5 * DOUBTFUL
    elif after.startswith("点"):
        fits = value <= 24 or bool(_POINT.match(after)) or is_changed(before) or (value > 99 and is_stated(before))
    elif value >= 10 and _CLOCK.search(before):
        fits = not after or after[0] in "分到至"
    elif after.startswith("月"):
        fits = 1 <= value <= 12
    elif after.startswith("时"):
        fits = value <= 24
    else:
        fits = bool(value) and (
            _counts(spoken, after) or after[:1] == "分" or (after[:1] in tuple("多余强") and spoken[-1] in SCALES)
        )
    if after[:1] in _MAY_COUNT and not fits and before[-1:] not in ("点", "之"):
        return 0.0  # 二十一手 is 21 lots, or 20 in one go
    return FITTING if fits else _end_cost(spoken, after)
