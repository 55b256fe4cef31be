"""Normalise texts and cut them into units before they are compared.

`NORMALISATION` and `UNITS` say how, for users. Numbers, spelling and script (simplified, traditional) are compared as
written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.scoring.read import Piece
from funasr_cli.unicode_ranges import HAN

Metric: TypeAlias = Literal["cer", "wer"]

NORMALISATION = (
    "Unicode NFKC, case-folded, no punctuation or symbols (an apostrophe joins words, all others separate them)"
)
UNITS: dict[Metric, str] = {
    "cer": "characters, without white space",
    "wer": "words between spaces; in scripts without spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer) characters",
}

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao; Burmese; Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # radicals, 々〆〇, kana, bopomofo
    + HAN
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_UNIT: dict[Metric, re.Pattern[str]] = {
    "cer": re.compile(r"\S"),
    "wer": re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+"),
}
_JOINING = frozenset("'‘’\u02bc")


@dataclass(frozen=True, slots=True)
class Units:
    """Units to align: `tokens`, and their `starts`, float64 `[n]`, in seconds, NaN if unknown."""

    tokens: Sequence[str]
    starts: NDArray[np.float64]


def normalise(text: str) -> str:
    """Normalise `text` as `NORMALISATION` says: letters, marks and digits, and white space in place of the rest."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(map(_kept, folded)))


@cache
def _kept(char: str) -> str:
    category = unicodedata.category(char)
    # Variation selectors choose a glyph and format characters control the layout: neither is seen or heard.
    if char in _JOINING or category == "Cf" or "VARIATION SELECTOR" in unicodedata.name(char, ""):
        return ""
    return char if category[0] in "LMN" else " "


def units(pieces: Iterable[Piece], metric: Metric) -> Units:
    """Return the units of a text. Only the first unit of a piece has a known start, that of the piece."""
    texts: list[str] = []
    starts: dict[int, float] = {}  # by position in the text
    end = 0
    for piece in pieces:
        text = normalise(piece.text)
        if piece.start is not None and text.strip():
            starts[end + len(text) - len(text.lstrip())] = piece.start
        texts.append(text)
        end += len(text)
    found = list(_UNIT[metric].finditer("".join(texts)))
    return Units(
        [match.group() for match in found],
        np.array([starts.get(match.start(), np.nan) for match in found], dtype=np.float64),
    )


def is_mostly_unspaced(texts: Iterable[Sequence[Piece]]) -> bool:
    """Whether more than half of all characters are in scripts without spaces; if so, characters are counted."""
    unspaced = total = 0
    for pieces in texts:
        text = normalise("".join(piece.text for piece in pieces))
        unspaced += len(_UNSPACED_CHARACTER.findall(text))
        total += len(text) - sum(map(str.isspace, text))
    return 2 * unspaced > total
