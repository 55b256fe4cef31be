"""English numbers that name rather than count: rooms, flights, telephone numbers, times, blood pressure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from funasr_cli.text.itn.english_context import is_plural
from funasr_cli.text.itn.english_numerals import VALUES, kinds_of

_LABELS = re.compile(
    "rooms?|suite|apartment|flight|boeing|airbus|route|highway|interstate|gate|bus|train|platform|channel|number|pin|"
    "extension|code|unit|line|section|building|locker|seat|row|model|bay|lane|terminal|zone|area|ward|error|exit|status"
)
"""Words with a number for a name: room one oh two, flight two forty seven."""

_ROADS = ("interstate", "highway", "route", "exit")
"""Words with a number of any size for a name."""

_DIALLED = ("dial", "call", "ring", "phone")

_IN_PARTS = re.compile("[oz]{3}|o(?:yo?|t|zo|zz)|(?:yo?|t)(?:yo?|t|zo)")
"""Kinds of the words of: one oh two, two forty seven, two fifteen, nineteen oh eight, twelve thirty."""


def called(number: Sequence[str], before: str) -> str | None:
    """Return the digits of a number that is said in parts after a word that it names; None for anything else."""
    kinds = kinds_of(number)
    if before in _DIALLED and kinds == "ooh":
        return f"{VALUES[number[0]]}{VALUES[number[1]]}00"  # one eight hundred
    if kinds in ("t", "y") and before in _ROADS:
        return str(VALUES[number[0]])
    if not _LABELS.fullmatch(before) or not _IN_PARTS.fullmatch(kinds):
        return None
    digits = ""
    for at, word in enumerate(number):
        is_unit = at > 0 and kinds[at - 1 : at + 1] == "yo"  # the seven of forty seven
        digits = (digits[:-1] if is_unit else digits) + str(VALUES[word])
    return digits


def is_room(number: Sequence[str], before: str) -> bool:
    """Whether a number is complete: "flight nine oh three lands", because there is no flight "nine oh"."""
    return bool(_LABELS.fullmatch(before)) and kinds_of(number) == "ozo"


def counts_in_room(number: Sequence[str], before: str, following: str) -> bool:
    """Whether the last digit may count people in a room with a round number: room three hundred | five men."""
    return (
        bool(_LABELS.fullmatch(before))
        and kinds_of(number)[-2:] in ("ho", "yo")
        and (is_plural(following) or following in ("more", "other", "of"))
    )


def clock(number: Sequence[str]) -> str | None:
    """Write "seven thirty" and "twelve oh five" as times of day; None for anything else."""
    if kinds_of(number[:1]) not in ("o", "t") or kinds_of(number[1:]) not in ("y", "yo", "t", "zo"):
        return None
    hour, minute = VALUES[number[0]], sum(VALUES[word] for word in number[1:])
    if hour > 12 or minute > 59:
        return None
    return f"{hour}:{minute:02}"


def pressure(number: Sequence[str]) -> str | None:
    """Write "one twenty" and "one thirty five", which leave out the hundred; None for anything else."""
    if number[:1] not in (["one"], ["two"]) or kinds_of(number[1:]) not in ("y", "yo", "t"):
        return None
    return str(VALUES[number[0]] * 100 + sum(VALUES[word] for word in number[1:]))
