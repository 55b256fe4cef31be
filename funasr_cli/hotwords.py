"""Hotword files: names and terms of the user's field, one a line, in FunASR's form `word [weight]`."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from funasr_cli.errors import UsageError
from funasr_cli.files import shown

DEFAULT_WEIGHT = 20.0
"""What FunASR's runtime takes where a line has no weight (`fst_inc_wts`)."""

WEIGHTS = (1.0, 100.0)
"""The range of weights that FunASR advises."""

LONGEST = 20
"""Characters of the longest word that is likely to be heard in one piece; FunASR advises 10."""

EVERYDAY = 0.5
"""The least share of everyday characters in Chinese text; bytes of other encodings make a quarter."""

_COMMENT = re.compile(r"(^|\s)#.*")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
_MARKS = frozenset("，、；。,;|/\\")


@dataclass(frozen=True, slots=True)
class Hotword:
    """A word to listen for. `weight` is between 1 and 100, 20 by default; `where` is its file and line."""

    text: str
    weight: float = DEFAULT_WEIGHT
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HotwordList:
    """Different words in the order of their files, and what a person should know of these, with file and line."""

    words: tuple[Hotword, ...] = ()
    warnings: tuple[str, ...] = ()


def read_hotwords(paths: Iterable[Path]) -> HotwordList:
    """The words of all files together. Raises `UsageError` where one cannot be read as text."""
    words: dict[str, Hotword] = {}
    warnings: list[str] = []
    for path in paths:
        before = len(words)
        for number, line in enumerate(_text(path).split("\n"), start=1):
            word = _parse(line, f"{shown(path)}:{number}", warnings)
            if word is None:
                continue
            first = words.setdefault(word.text, word)
            if first is not word:
                warnings.append(f"{word.where}: {word.text} is in {first.where} already; that line counts")
        if len(words) == before:
            warnings.append(f"{shown(path)}: adds no hotword")
    return HotwordList(tuple(words.values()), tuple(warnings))


def _parse(line: str, where: str, warnings: list[str]) -> Hotword | None:
    """The word of a line; None for one that has none, with a warning unless it is empty or a comment."""
    fields = _COMMENT.sub("", line.translate(_INVISIBLE)).split()
    if not fields:
        return None
    number = unicodedata.normalize("NFKC", fields[-1])
    weight = DEFAULT_WEIGHT
    if len(fields) > 1 and _NUMBER.fullmatch(number):
        weight = min(max(float(number), WEIGHTS[0]), WEIGHTS[1])
        if weight != float(number):
            warnings.append(f"{where}: the weight {number} is not between 1 and 100; it is taken as {weight:g}")
        del fields[-1]
    text = " ".join(fields)
    if len(text) < 2 or not any(map(str.isalnum, text)):
        warnings.append(f"{where}: {text} is left out: too short to be told from other speech")
        return None
    if _MARKS.intersection(text):
        warnings.append(f"{where}: {text} looks like several words; write one a line")
    elif len(text) > LONGEST:
        warnings.append(f"{where}: {text} is longer than {LONGEST} characters and will hardly be heard in one piece")
    return Hotword(text, weight, where)


def _text(path: Path) -> str:
    """The text of a file in UTF-8 or GB18030, LF between its lines."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path) from error
    encoding = _encoding(data)
    if encoding not in ("utf-8-sig", "gb18030"):
        what = f"is {encoding}" if encoding else "is text neither in UTF-8 nor in GB18030"
        hint = f"Save it as UTF-8, e.g. with `iconv -f {encoding or 'ENCODING'} -t UTF-8`."
        raise UsageError(what, where=path, hint=hint)
    text = data.decode(encoding)
    if "\0" in text:
        raise UsageError("is no text: it holds zero bytes", where=path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encoding(data: bytes) -> str | None:
    """The encoding of `data`. Chinese encodings fit nearly any bytes: the one counts that makes everyday characters."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    shares: dict[str, float] = {}
    for encoding in ("utf-8-sig", "gb18030", "big5"):
        with suppress(UnicodeDecodeError):
            foreign = [char for char in data.decode(encoding) if not char.isascii()]
            if encoding == "utf-8-sig":
                return encoding
            shares[encoding] = sum(map(_is_everyday, foreign)) / len(foreign)
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    return best if best and shares[best] >= EVERYDAY else None


def _is_everyday(char: str) -> bool:
    """Whether a character is of GB 2312 or of the first level of Big5: in daily use in one of the two scripts."""
    return bool(char.encode("gb2312", "ignore")) or b"\xa1" <= char.encode("big5", "ignore") < b"\xc7"
