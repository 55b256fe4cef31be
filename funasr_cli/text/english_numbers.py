"""English numbers that are better read in figures: years, dates, percentages, amounts, telephone numbers.

Cautious: a single word (twelve, second, one) stays unless a percent, a currency or a month makes it clear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from funasr_cli.text.rewrite import Rewrite


def _numbered(words: str, start: int = 1, step: int = 1) -> dict[str, int]:
    return {word: start + step * i for i, word in enumerate(words.split())}


_ONES = _numbered("one two three four five six seven eight nine")
_TEENS = _numbered("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10)
_TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = _numbered(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
) | {"thirtieth": 30}
_VALUES = {"zero": 0, "oh": 0, "hundred": 100, **_ONES, **_TEENS, **_TENS, **_SCALES}
_CLASSES = (
    dict.fromkeys(_ONES, "o") | dict.fromkeys(_TEENS, "t") | dict.fromkeys(_TENS, "y") | dict.fromkeys(_SCALES, "s")
) | {"zero": "z", "oh": "z", "hundred": "h", "and": "&", "point": "."}

NUMBER_WORDS = frozenset({*_VALUES, *_ORDINALS})

_GROUP = "(?:[ot]h(?:&?(?:yo?|[to]))?|yo?|[to])"
_CARDINAL = re.compile(f"{_GROUP}(?:s&?{_GROUP})*s?")
_YEAR = re.compile("([ty])(yo?|t|zo)")
_LONG = 4
"""From so many on, single digits in a row are a code or a telephone number; fewer may be counted aloud."""

_MONTHS = {"January", "February", "March", "April", "May", "June", "July"} | {
    "August", "September", "October", "November", "December",
}  # fmt: skip
_CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€"}

_WORD = re.compile("[A-Za-z]+")


def written(text: str) -> list[Rewrite]:
    """The numbers of `text` in figures: what to put where, in order."""
    words = list(_WORD.finditer(text))
    changes: list[Rewrite] = []
    at = 0
    while at < len(words):
        end = _run(words, at, text)
        found = _rewrite(words, at, end, text)
        if found:
            last, figures = found
            changes.append(Rewrite(words[at].start(), words[last - 1].end(), figures))
            end = last
        at = max(end, at + 1)
    return changes


def _run(words: Sequence[re.Match[str]], at: int, text: str) -> int:
    """Where the number words end that begin at `at`; "and" and "point" do not end them."""
    end = at
    for i in range(at, len(words)):
        kind = _CLASSES.get(words[i].group().lower())
        if kind is None or (i == at and kind in "&.") or (i > at and not _joined(words, i, text)):
            break
        if kind not in "&.":
            end = i + 1
    return end


def _joined(words: Sequence[re.Match[str]], i: int, text: str) -> bool:
    """Whether nothing but a space or a hyphen parts a word from the one before it."""
    return i < len(words) and i > 0 and text[words[i - 1].end() : words[i].start()] in (" ", "-")


def _rewrite(words: Sequence[re.Match[str]], at: int, end: int, text: str) -> tuple[int, str] | None:
    """Up to which word, and the figures for them; None for what should stay in words."""
    number = [word.group().lower() for word in words[at:end]]
    following = words[end].group().lower() if _joined(words, end, text) else ""
    in_month = _joined(words, at, text) and words[at - 1].group().capitalize() in _MONTHS
    in_month = in_month and (words[at - 1].group() in _MONTHS or words[at - 1].group() not in ("may", "march"))
    ordinal = _ordinal(number, following)
    if ordinal and in_month and ordinal <= 31:
        return end + 1, str(ordinal)
    if ordinal and number:
        return end + 1, f"{ordinal}{_suffix(ordinal)}"
    figures = _figures(number)
    if figures is None or _is_rough(words, at):
        return None
    if following == "percent":
        return end + 1, figures + "%"
    if following in _CURRENCIES:
        return end + 1, _CURRENCIES[following] + figures
    return (end, figures) if len(number) > 1 or (in_month and figures.isdigit() and int(figures) <= 31) else None


def _is_rough(words: Sequence[re.Match[str]], at: int) -> bool:
    """Two or three hundred."""
    return at >= 2 and words[at - 1].group() in ("or", "to") and words[at - 2].group().lower() in _VALUES


def _figures(number: Sequence[str]) -> str | None:
    kinds = "".join(_CLASSES[word] for word in number)
    if "." in kinds:
        whole, _, part = kinds.partition(".")
        scale = f" {number[-1]}" if part.endswith("s") else ""
        before, after = number[: len(whole)], number[len(whole) + 1 : len(number) - bool(scale)]
        value = 0 if whole == "z" else _cardinal(before)
        digits = _digits(after)
        return None if value is None or digits is None else f"{value}.{digits}{scale}"
    if len(number) >= _LONG and (digits := _digits(number)):
        return digits
    year = _YEAR.fullmatch(kinds)
    if year and 13 <= _VALUES[number[0]] <= 20 and not (year[1] == "y" and year[2] == "o"):
        return str(_VALUES[number[0]] * 100 + sum(_VALUES[word] for word in number[1:]))
    value = _cardinal(number)
    if value is None:
        return None
    if kinds.endswith("s") and kinds.count("s") == 1 and value >= 10**6:
        return f"{_cardinal(number[:-1])} {number[-1]}"
    return str(value) if value < 10_000 else f"{value:,}"


def _digits(number: Sequence[str]) -> str | None:
    digits = [_VALUES.get(word, 10) for word in number]
    return "".join(map(str, digits)) if digits and max(digits) < 10 else None


def _cardinal(number: Sequence[str]) -> int | None:
    if not _CARDINAL.fullmatch("".join(_CLASSES[word] for word in number)):
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
            group += _VALUES[word]
    return total + group


def _ordinal(number: Sequence[str], following: str) -> int | None:
    """The value of, for example, twenty first; None where `following` does not end an ordinal."""
    last = _ORDINALS.get(following)
    if last is None or not number:
        return last
    if (number[-1] in _TENS and last < 10) or number[-1] in ("hundred", "thousand"):
        value = _cardinal(number)
        return None if value is None else value + last
    return None


def _suffix(value: int) -> str:
    return "th" if 10 <= value % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
