"""English numbers that are called rather than counted: rooms, flights, telephone numbers, times, blood pressure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from funasr_cli.text.itn.english_numerals import KINDS, VALUES

_LABELS = frozenset(
    "room rooms suite apartment flight boeing airbus route highway interstate gate bus train platform channel number "
    "extension code unit line section building locker seat row model bay lane terminal zone area pin ward".split()
)
"""What a number after it is the name of: room one oh two, flight two forty seven."""

_DIALLED = frozenset("dial call ring phone".split())

_SPLIT = re.compile("[oz]{3}|o(?:yo?|t|zo|zz)|(?:yo?|t)(?:yo?|t|zo)")
"""One oh two, two forty seven, two fifteen, nineteen oh eight, twelve thirty."""

def called(number: Sequence[str], before: str) -> str | None:
    """The digits of a number after `before` that is said in parts; None for anything else."""
    kinds = "".join(KINDS[word] for word in number)
    if before in _DIALLED and kinds in ("oh", "yoh", "oyh") and len(number) == 2:
        return f"{VALUES[number[0]]}00"
    if before not in _LABELS or not _SPLIT.fullmatch(kinds):
        return None
    parts: list[str] = []
    for word in number:
        value = VALUES[word]
        if parts and parts[-1][-1:] == "0" and len(parts[-1]) == 2 and value in range(1, 10) and word != "oh":
            parts[-1] = parts[-1][:-1] + str(value)
        else:
            parts.append(str(value))
    return "".join(parts)


def clock(number: Sequence[str]) -> str | None:
    """Seven thirty and twelve oh five as times of day."""
    if len(number) not in (2, 3) or VALUES[number[0]] not in range(1, 13):
        return None
    kinds = "".join(KINDS[word] for word in number[1:])
    minute = sum(VALUES[word] for word in number[1:])
    if kinds not in ("y", "yo", "t", "zo") or minute > 59:
        return None
    return f"{VALUES[number[0]]}:{minute:02}"


def pressure(number: Sequence[str]) -> str | None:
    """One twenty and one thirty five, of which a hundred is left out."""
    kinds = "".join(KINDS[word] for word in number)
    if kinds in ("oy", "oyo", "ot") and number[0] in ("one", "two"):
        return str(VALUES[number[0]] * 100 + sum(VALUES[word] for word in number[1:]))
    return None
