"""Shares, amounts and codes in Chinese speech."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from funasr_cli.text.itn.chinese_codes import is_code
from funasr_cli.text.itn.chinese_context import is_changed, is_exact, is_measured, is_stated
from funasr_cli.text.itn.chinese_dates import Span
from funasr_cli.text.itn.chinese_numerals import AMOUNT, NUMERALS, SCALES, cardinal, decimal, digits, figures, shortened

_N = f"[{NUMERALS}]"

SHARE = re.compile(
    f"(?<!{_N})([百千万])分之(负?)({AMOUNT})(?:点({_N}+))?(?:([到至])(负?)({AMOUNT})(?:点({_N}+))?(?!{_N}|分之|个))?"
)
SCORE = re.compile(f"(?<![{NUMERALS}点几])({_N}+)[比乘]({_N}+)(?![{NUMERALS}点几多])")
NUMBER = re.compile(f"({AMOUNT})(?:点({AMOUNT}))?")

_ABOUT = re.compile("[多余到至]|左右|上下|以[上下内]|指数|强")
_INDEX = re.compile("(?:标普|沪深|中证|上证|科创|纳指|日经|富时)$")
_LETTER = re.compile("(?<![A-Za-z])[A-Z]$")
_ROUGHLY = re.compile("十[几多]$|百多$|双$|[一二三四五六七八九]上$")
_SPEECH = re.compile("[讲说有下这那提共几出]$|强调$")
_ENDED = re.compile(r"$|\W|左右|以[上下内]|的|[了吧呢啊]$")


def share(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 百分之五点三, 千分之二 and 百分之五到十 in figures; 万分之五 becomes 0.05%."""
    low, high = _share(match[1], match[2], match[3], match[4]), None
    if match[5]:
        high = _share(match[1], match[6], match[7], match[8])
    if low is None or (match[5] and high is None) or match.string.startswith(("几", "点"), match.end()):
        return
    if match[0] == "万分之一":
        return  # idiom: as good as nothing
    yield (match.start(), match.start(5) if match[5] else match.end()), low
    if high is not None:
        yield (match.end(5), match.end()), high


def _share(scale: str, minus: str, spoken: str, part: str | None) -> str | None:
    value = decimal(spoken, part)
    if value is None or not {"千", "万", "亿"}.isdisjoint(spoken):
        return None
    if scale == "万":
        value, scale = f"{Decimal(value) / 100:f}", "百"
    return ("-" if minus else "") + value + {"百": "%", "千": "‰"}[scale]


def score(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 二十一比十九 and 七乘二十四 in figures; small ones (三比二) stay."""
    values = cardinal(match[1]), cardinal(match[2])
    if None not in values and 10 <= max(value or 0 for value in values) < 1000:
        yield match.span(1), str(values[0])
        yield match.span(2), str(values[1])


def number(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 三百二十五万元, 三点二万亿, 第十二条 and 一三八零零 in figures; `_takes_figures` says what stays."""
    whole, part = match[1], match[2]
    before, after = match.string[: match.start()], match.string[match.end() :]
    if (not part and _is_rough(whole, before)) or before.endswith("分之") or after.startswith(("几", "分之")):
        return
    if part and after.startswith(("月", "号")):
        return  # 达到三点|五月份
    if _LETTER.search(before) and whole[0] != "十" and is_measured(after):
        return  # B二十五个人
    value = cardinal(whole)
    if part:
        spoken = re.fullmatch("([零一二三四五六七八九]+)[百千]?[万亿]*", part)
        if spoken and value is not None and _is_decimal(whole, part, spoken[1], before, after):
            yield (match.start(), match.start(2) + spoken.end(1)), f"{value}.{digits(spoken[1])}"
    elif value is None or (len(whole) > 1 and not set(whole) & SCALES.keys()):
        if is_code(whole, before, after):
            yield match.span(), digits(whole)
        elif value is None and (short := shortened(whole)) and _stands_alone(whole, after):
            yield match.span(), short
    elif _takes_figures(value, whole, before, after):
        yield match.span(), _with_scales(value, whole, after)


def _stands_alone(spoken: str, after: str) -> bool:
    """Whether a shortened number such as 一万三 is the whole amount; not 二百五, a fool."""
    return spoken != "二百五" and bool(_ENDED.match(after))


def _is_rough(spoken: str, before: str) -> bool:
    """Whether the number is part of an approximate one, as in 几十 and 十几二十, or of a name (双十)."""
    return (before.endswith(("几", "数")) and spoken[0] in SCALES) or bool(_ROUGHLY.search(before))


def _with_scales(value: int, spoken: str, after: str) -> str:
    """Return figures that keep the 亿 of 一亿三千多万, where 万 comes later."""
    whole, scale, rest = spoken.rpartition("亿")
    tail = cardinal(rest) if scale and re.match("[多余]万", after) else None
    return figures(value) if tail is None else f"{cardinal(whole)}亿{tail}"


def _is_decimal(whole: str, part: str, spoken: str, before: str, after: str) -> bool:
    """Whether `whole` 点 `part` is a decimal number, not a time or points of a speech (三点一要团结)."""
    value = cardinal(whole) or 0
    if value <= 24 and after.startswith(("分", "刻")) and not is_changed(before):
        return False
    if value == 0 or value > 24 or spoken != part or is_measured(after):
        return True
    if len(part) == 1:
        if value >= 10 or part == "零" or (whole != "两" and _ENDED.match(after) and not _SPEECH.search(before)):
            return True
        return is_stated(before) and not (part == "一" and after.startswith(("是", "要")))
    return is_stated(before) or len(part) > 2 or part[0] != "零"  # 七点零五 may be a time


def _takes_figures(value: int, spoken: str, before: str, after: str) -> bool:
    """Whether the context shows that a number is counted; many round ones (八百壮士, 三千尺) are not."""
    if value < 10:
        return is_exact(after)
    if after.startswith("届") or (value <= 12 and after.startswith("月")):
        return False  # months are dates
    if after.startswith("点"):
        return value > 24 or is_changed(before)  # three thousand points of an index; ten o'clock is a time
    if value == 10:
        return before.endswith("第") or (is_measured(after) and after[0] not in "多余")
    if before.endswith("第") or _INDEX.search(before[-2:]) or after.startswith("分") or is_measured(after):
        return True
    if value < 100:
        return False
    told = is_stated(before) or (before.endswith(("了", "有")) and not after)
    return len(spoken) > 2 or told or bool(_ABOUT.match(after))
