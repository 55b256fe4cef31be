"""What Chinese numbers mean, and how that is written in figures."""

from __future__ import annotations

import re

DIGITS = dict(zip("零〇一二三四五六七八九幺两", "0012345678912", strict=True))
SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
NUMERALS = "".join(DIGITS) + "".join(SCALES)
"""The characters that numbers are written with."""

HIDDEN = "\ue000"
"""Stands for a numeral that is no part of a number; see `chinese_joints`."""

AMOUNT = f"(?:千(?![瓦克米伏赫])|(?<=[一二两三四五六七八九])千(?=米)|[{NUMERALS.replace('千', '')}])+"
"""An expression for numerals that leaves 千瓦 and 千克 whole, and 千米 but for 三千米."""

_D, _H = "[一二三四五六七八九]", "[一二两三四五六七八九]"
_TENS = f"(?:{_D}?十{_D}?|零{_D})"
_THOUSANDS = f"{_H}千(?:{_H}百{_TENS}?|零{_D}?十{_D}?|零{_D})?"
_SECTION = f"(?:{_THOUSANDS}|{_H}百{_TENS}?|{_D}?十{_D}?|{_H})"
_REST = f"(?:{_THOUSANDS}|零{_SECTION})"  # behind 万 or 亿: 三万五千, 三万零五百
_MILLIONS = f"{_SECTION}万{_REST}?"
_CARDINAL = re.compile(f"零|(?:{_MILLIONS}|{_SECTION})亿(?:{_REST}万{_REST}?|{_REST})?|{_MILLIONS}|{_SECTION}")
"""A well-formed number, such as neither 二三十 nor 十四五 is."""

_SHORTENED = re.compile(f"(.*[百千万亿])({_D})")


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


def shortened(text: str) -> str | None:
    """一万三 as 1万3, 八千五 as 8500; None for anything else, and for 万一, which is a word as well."""
    match = _SHORTENED.fullmatch(text)
    value = cardinal(match[1]) if match else None
    if match is None or value is None or text.endswith("万一"):
        return None
    scale = SCALES[match[1][-1]]
    if scale < SCALES["万"]:
        return str(value + int(DIGITS[match[2]]) * scale // 10)
    return figures(value) + DIGITS[match[2]]


def decimal(whole: str | None, part: str | None) -> str | None:
    """`whole` in plain figures, with the digits of `part` behind a point; None if they are no number."""
    value = cardinal(whole or "")
    if value is None or (part and not digits(part).isdigit()):
        return None
    return f"{value}.{digits(part)}" if part else str(value)


def figures(value: int) -> str:
    """325万, 1亿5000万 and 3万亿, but 12345."""
    if value < SCALES["万"] or value % SCALES["万"]:
        return str(value)
    hundred_millions, ten_thousands = divmod(value // SCALES["万"], SCALES["万"])
    if ten_thousands == 0 and hundred_millions % SCALES["万"] == 0:
        return f"{hundred_millions // SCALES['万']}万亿"
    return (f"{hundred_millions}亿" if hundred_millions else "") + (f"{ten_thousands}万" if ten_thousands else "")


def digits(text: str) -> str:
    """A digit for each character, and an x for what is none."""
    return "".join(DIGITS.get(char, "x") for char in text)
