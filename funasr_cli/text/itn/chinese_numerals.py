"""Values of Chinese numbers, and how they are written in figures."""

from __future__ import annotations

import re

DIGITS = dict(zip("零〇一二三四五六七八九幺两", "0012345678912", strict=True))
SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
NUMERALS = "".join(DIGITS) + "".join(SCALES)
"""The characters of numbers."""

HIDDEN = "\ue000"
"""Replaces a numeral that does not belong to a number; see `chinese_joints`."""

AMOUNT = f"(?:千(?![瓦克米伏赫])|(?<=[一二两三四五六七八九])千(?=米)|[{NUMERALS.replace('千', '')}])+"
"""An expression for numerals that keeps 千瓦 and 千克 whole, and 千米 except in 三千米."""

_D, _H = "[一二三四五六七八九]", "[一二两三四五六七八九]"
_TENS = f"(?:{_D}?十{_D}?|零{_D})"
_THOUSANDS = f"{_H}千(?:{_H}百{_TENS}?|零{_D}?十{_D}?|零{_D})?"
_SECTION = f"(?:{_THOUSANDS}|{_H}百{_TENS}?|{_D}?十{_D}?|{_H})"
_REST = f"(?:{_THOUSANDS}|零{_SECTION})"  # after 万 or 亿: 三万五千, 三万零五百
_MILLIONS = f"{_SECTION}万{_REST}?"
_CARDINAL = re.compile(f"零|(?:{_MILLIONS}|{_SECTION})亿(?:{_REST}万{_REST}?|{_REST})?|{_MILLIONS}|{_SECTION}")
"""A well-formed number; 二三十 and 十四五 are not."""

_SHORTENED = re.compile(f"(.*[百千万亿])({_D})")


def cardinal(text: str) -> int | None:
    """Return the value of a well-formed Chinese number, None for anything else."""
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
    """Write 一万三 as 1万3 and 八千五 as 8500; None for anything else, and for 万一, which is also a word."""
    match = _SHORTENED.fullmatch(text)
    value = cardinal(match[1]) if match else None
    if match is None or value is None or text.endswith("万一"):
        return None
    scale = SCALES[match[1][-1]]
    if scale < SCALES["万"]:
        return str(value + int(DIGITS[match[2]]) * scale // 10)
    return figures(value) + DIGITS[match[2]]


def decimal(whole: str | None, part: str | None) -> str | None:
    """Return `whole` in plain figures, with the digits of `part` after a point; None if this is not a number."""
    value = cardinal(whole or "")
    if value is None or (part and not digits(part).isdigit()):
        return None
    return f"{value}.{digits(part)}" if part else str(value)


def figures(value: int) -> str:
    """Write a value as 325万, 1亿5000万 or 3万亿, but 12345 in plain figures."""
    if value < SCALES["万"] or value % SCALES["万"]:
        return str(value)
    hundred_millions, ten_thousands = divmod(value // SCALES["万"], SCALES["万"])
    if ten_thousands == 0 and hundred_millions % SCALES["万"] == 0:
        return f"{hundred_millions // SCALES['万']}万亿"
    return (f"{hundred_millions}亿" if hundred_millions else "") + (f"{ten_thousands}万" if ten_thousands else "")


def digits(text: str) -> str:
    """Return a digit for each character, and x for a character that is not a digit."""
    return "".join(DIGITS.get(char, "x") for char in text)
