"""Classes of characters by script."""

from __future__ import annotations

import re

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, including 々 and 〇, as ranges for a character class of a regular expression."""

_TERMINAL = (
    "0021 002E 003F 0589 061D-061F 06D4 0700-0702 07F9 0837 0839 083D-083E 0964-0965 104A-104B 1362 1367-1368 "
    "166E 1735-1736 17D4-17D5 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F "
    "203C-203D 2047-2049 2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 "
    "AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01 FF0E FF1F FF61"
)

_HAN = re.compile(f"[{HAN}]+")
_KANA = re.compile("[\u3041-\u30ff\uff66-\uff9f]")

SENTENCE_TERMINAL = frozenset(
    chr(code)
    for first, last in ((int(ends[:4], 16), int(ends[-4:], 16)) for ends in _TERMINAL.split())
    for code in range(first, last + 1)
)
"""Marks that end sentences in all scripts in use: Unicode's property Sentence_Terminal, and the two of Khmer."""


def is_han(text: str) -> bool:
    """Whether `text` consists of Chinese characters and is not empty."""
    return _HAN.fullmatch(text) is not None


def is_chinese(text: str) -> bool:
    """Whether `text` contains Chinese characters but no kana."""
    return _HAN.search(text) is not None and _KANA.search(text) is None
