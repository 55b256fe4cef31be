"""Chinese numbers that read better in figures: dates, times, percentages, amounts, telephone numbers.

Follows GB/T 15835-2011 cautiously: a date, a time, an ordinal from ten on and a number with its measure word get
figures. A small number, an approximate one (三五个, 几十) and a possible name (双十一, 三十而立) stay in characters.
Numbers that belong together, such as the ends of a range, get figures together or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from funasr_cli.text.itn.chinese_amounts import NUMBER, SCORE, SHARE, number, score, share
from funasr_cli.text.itn.chinese_codes import CALL_SIGN, DOTTED, GRADED, LETTERED, call_sign, dotted, graded, lettered
from funasr_cli.text.itn.chinese_context import TIME_OF_DAY
from funasr_cli.text.itn.chinese_dates import DATE, TIME, YEAR, Span, date, time, year
from funasr_cli.text.itn.chinese_joints import hide_words
from funasr_cli.text.itn.chinese_numerals import AMOUNT, HIDDEN, NUMERALS, SCALES, decimal, digits
from funasr_cli.text.rewrite import Rewrite

_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[tuple[Span, str]]]], ...] = (
    (SHARE, share),
    (LETTERED, lettered),
    (GRADED, graded),
    (DOTTED, dotted),
    (CALL_SIGN, call_sign),
    (TIME, time),
    (YEAR, year),
    (DATE, date),
    (SCORE, score),
    (NUMBER, number),
)

_N = f"[{NUMERALS}]"
_LOW = f"(?<![{NUMERALS}几数之])(?P<low>[几数]?{AMOUNT}几?(?:点{AMOUNT})?)"
_HIGH = f"(?P<high>[几数]?{AMOUNT}几?(?:点{AMOUNT})?)"
_RANGE = re.compile(f"{_LOW}(?P<unit>[^{NUMERALS}几到至]{{0,3}}?)[到至](?:第|{TIME_OF_DAY})?(?={_HIGH})")
_CHANGE = re.compile(f"(?<=[从由]){_LOW}[^{NUMERALS}，,]{{1,4}}?[到至]{_HIGH}")
_DAYS = re.compile(f"{_LOW}(?P<unit>[日号])[和与及]{_HIGH}(?=(?P=unit))")
_COMPOUND = re.compile(
    f"{_LOW}(?:[元块](?=(?P<jiao>{_N})[角毛])|[角毛](?=(?P<fen>{_N})(?:分|$|\\W))|年[零{HIDDEN}]?(?=(?P<months>{_N}+)个?月)"
    f"|个?小?时[零{HIDDEN}]?(?=(?P<minutes>{_N}+)分)|分钟?[零{HIDDEN}]?(?=(?P<seconds>{_N}+)秒)"
    f"|[日号](?=(?P<hour>{_N}+)[点时])|斤(?=(?P<liang>{_N})[两{HIDDEN}])|[度块米秒](?=(?P<tenths>{_N}{{1,2}})(?:$|\\W|左右|以[上下]|[的了钱])))"
)


def written(text: str) -> list[Rewrite]:
    """Return the changes that write the numbers of `text` in figures, in order."""
    text = hide_words(text)
    changes: dict[Span, str] = {}
    taken = [False] * len(text)
    for pattern, rule in _RULES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            for (low, high), plain in rule(match):
                changes[low, high] = plain
                taken[start:end] = [True] * (end - start)
    for low_span, high_span in _together(text):
        _all_or_none(text, changes, low_span, high_span)
    return [Rewrite(start, end, changes[start, end]) for start, end in sorted(changes)]


def _together(text: str) -> Iterator[tuple[Span, Span]]:
    """Yield the pairs of numbers that get figures together.

    Examples: 二十到三十人, 八点到十点半, 一百二十元五角, 三十七度五, 从一百涨到一百五, 七号和八号.
    """
    for match in _RANGE.finditer(text):
        unit, after = match["unit"][:1], text[match.end("high") :]
        if after.startswith(unit):
            yield match.span("low"), match.span("high")
    for match in (*_CHANGE.finditer(text), *_DAYS.finditer(text)):
        yield match.span("low"), match.span("high")
    for match in _COMPOUND.finditer(text):
        yield match.span("low"), match.span(match.lastgroup or "low")


def _all_or_none(text: str, changes: dict[Span, str], low: Span, high: Span) -> None:
    """Give figures to both numbers if one has them, otherwise to neither."""
    parts = {
        (start, end): [span for span in changes if span[0] < end and start < span[1]] for start, end in (low, high)
    }
    missing = [part for part, spans in parts.items() if not spans]
    if len(missing) == 2 or (not missing and not _is_short(text, low, high)):
        return
    digitwise = SCALES.keys().isdisjoint(text[slice(*low)] + text[slice(*high)]) and text.startswith("年", high[1])
    digitwise = digitwise or text[high[0] - 1] in "度块米秒"  # 二四到二五年, 十二米七五
    plain = _plain(text[slice(*missing[0])], digitwise) if missing else None
    if plain is not None and not _is_short(text, low, high):
        changes[missing[0]] = plain
    else:
        for span in (span for spans in parts.values() for span in spans):
            del changes[span]


def _is_short(text: str, low: Span, high: Span) -> bool:
    """Whether the first number leaves out the hundred or thousand of the second: 三到五百."""
    return (
        text[low[1] : high[0]] in ("到", "至")
        and low[1] - low[0] == 1
        and text[high[0] + 1 : high[0] + 2] in ("百", "千")
    )


def _plain(spoken: str, digitwise: bool) -> str | None:
    if digitwise and digits(spoken).isdigit():
        return digits(spoken)
    whole, _, part = spoken.partition("点")
    return decimal(whole, part)
