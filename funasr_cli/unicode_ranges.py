"""Characters by their script."""

from __future__ import annotations

import re

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, 々 and 〇 among them, as a range within a regular expression."""

_HAN = re.compile(f"[{HAN}]+")
_KANA = re.compile("[\u3041-\u30ff\uff66-\uff9f]")


def is_han(text: str) -> bool:
    """Whether `text` consists of Chinese characters; an empty one does not."""
    return _HAN.fullmatch(text) is not None


def is_chinese(text: str) -> bool:
    """Whether `text` has Chinese characters and is not Japanese."""
    return _HAN.search(text) is not None and _KANA.search(text) is None
