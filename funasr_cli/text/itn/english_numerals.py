"""Values of English number words, and how they are written in figures."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _numbered(words: str, start: int = 1, step: int = 1) -> dict[str, int]:
    return {word: start + step * i for i, word in enumerate(words.split())}


_ONES = _numbered("one two three four five six seven eight nine")
_TEENS = _numbered("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10)
_TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
VALUES = {"zero": 0, "oh": 0, "hundred": 100, **_ONES, **_TEENS, **_TENS, **_SCALES}

ORDINALS = _numbered(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
) | _numbered("twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth", 20, 10)
PARTS = frozenset({"hundredth", "thousandth", "millionth", "billionth"})
"""Ordinals that may also be fractions."""

NUMBER_WORDS = frozenset({*VALUES, *ORDINALS})

REPEATS = {"double": 2, "triple": 3}
"""How often the next digit is said: double five."""

KINDS = (
    (dict.fromkeys(_ONES, "o") | dict.fromkeys(_TEENS, "t") | dict.fromkeys(_TENS, "y") | dict.fromkeys(_SCALES, "s"))
    | {"zero": "z", "oh": "z", "hundred": "h", "and": "&", "point": "."}
    | dict.fromkeys(REPEATS, "r")
)
"""A letter for each word of numbers; the sequence of letters shows whether a number is well-formed."""

_GROUP = "(?:[ot]h(?:&?(?:yo?|[to]))?|yo?|[to])"
_CARDINAL = re.compile(f"{_GROUP}(?:s&?{_GROUP})*s?")
_YEAR = re.compile("([ty])(yo?|t|zo)")
_LONG = 4
"""Single digits in a row are a code or a telephone number from this length on; fewer may be counted aloud."""


def kinds_of(number: Sequence[str]) -> str:
    """Return the letter of each word of a number, ? for another word."""
    return "".join(KINDS.get(word, "?") for word in number)


def cardinal(number: Sequence[str]) -> int | None:
    """Return the value of a well-formed number, None for anything else."""
    if not _CARDINAL.fullmatch(kinds_of(number)):
        return None
    total = group = 0
    smallest = 10**15
    for word in number:
        if word in _SCALES:
            if _SCALES[word] >= smallest:
                return None
            smallest = _SCALES[word]
            total, group = total + group * smallest, 0
        elif word == "hundred":
            group *= 100
        elif word != "and":
            group += VALUES[word]
    return total + group


def ordinal(number: Sequence[str], last: str) -> int | None:
    """Return the value of an ordinal such as "twenty first"; None if `last` does not end an ordinal."""
    value = ORDINALS.get(last)
    if value is None or not number:
        return value
    if (number[-1] in _TENS and value < 10) or number[-1] in ("hundred", *_SCALES):
        whole = cardinal(number)
        return None if whole is None else whole + value
    return None


def figures(number: Sequence[str]) -> str | None:
    """Write a number, a year or a row of digits in figures; None for anything else."""
    kinds = kinds_of(number)
    if "." in kinds:
        whole, _, part = kinds.partition(".")
        scale = f" {number[-1]}" if part.endswith("s") else ""
        before, after = number[: len(whole)], number[len(whole) + 1 : len(number) - bool(scale)]
        value = 0 if whole in ("", "z") else cardinal(before)
        digits = digits_of(after)
        return None if value is None or digits is None else f"{value}.{digits}{scale}"
    if (digits := digits_of(number)) and len(digits) >= _LONG:
        return digits
    year = _YEAR.fullmatch(kinds)
    if year and 13 <= VALUES[number[0]] <= 20 and not (year[1] == "y" and year[2] == "o"):
        return str(VALUES[number[0]] * 100 + sum(VALUES[word] for word in number[1:]))
    value = cardinal(number)
    if value is None:
        return None
    if kinds.endswith("s") and kinds.count("s") == 1 and value >= 10**6:
        return f"{cardinal(number[:-1])} {number[-1]}"
    return str(value) if value < 10_000 else f"{value:,}"


def may_be_year(number: Sequence[str]) -> bool:
    """Whether words are a year in two parts, or two numbers: nineteen twenty."""
    year = _YEAR.fullmatch(kinds_of(number))
    return year is not None and year[2] != "zo"


def are_neighbours(number: Sequence[str]) -> bool:
    """Whether two words are consecutive numbers: seventeen eighteen."""
    return len(number) == 2 and VALUES[number[1]] - VALUES[number[0]] == 1


def suffixed(value: int) -> str:
    """Write an ordinal: 1st, 12th, 22nd."""
    suffix = "th" if 10 <= value % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def shortened(low: Sequence[str], high: Sequence[str]) -> bool:
    """Whether `low` leaves out the hundreds or thousands of `high`, as in "two to three hundred"."""
    value = cardinal(low)
    for scale in {"hundred", "thousand"}.intersection(high).difference(low):
        leading = cardinal(high[: high.index(scale)])
        if value is not None and leading is not None and value < leading:
            return True
    return False


def digits_of(number: Sequence[str]) -> str | None:
    """Return the digits of a row of them, with "double five" as 55; None for anything else."""
    written, times = "", 1
    for word in number:
        if word in REPEATS:
            times = REPEATS[word]
        elif VALUES.get(word, 10) > 9:
            return None
        else:
            written, times = written + str(VALUES[word]) * times, 1
    return written or None
