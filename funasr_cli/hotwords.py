"""Hotword files: names and terms of the user's field, one a line, in FunASR's form `word [weight]`."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from funasr_cli.errors import UsageError, reading
from funasr_cli.files import printable
from funasr_cli.package_data import hotword_lists
from funasr_cli.unicode_ranges import HAN

DEFAULT_WEIGHT = 20.0
"""What FunASR's runtime takes where a line has no weight (`fst_inc_wts`)."""

WEIGHTS = (1.0, 100.0)
"""The range of weights that FunASR advises."""

MAX_WORD_CHARS = 20
"""Characters of the longest word that is likely to be heard in one piece; FunASR advises 10."""

COMMON_WORD_SHARE = 0.5
"""The least share of everyday characters in Chinese text; bytes of other encodings make a quarter."""

_COMMENT = re.compile(rf"(^|\s|(?<=[{HAN}]))[#＃]")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_NO_NUMBER = re.compile(r"[-+]?(nan|inf(inity)?)|[^\w\s]*\d[\d\W_]*", re.IGNORECASE)
"""What is meant for a weight, behind Chinese characters, and is none: NaN, 20%, 1.2.3."""

_PARTED = re.compile(rf"(?<=[{HAN}]) (?=[{HAN}])")
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
            word = _parse(line, f"{printable(path)}:{number}", warnings)
            if word is None:
                continue
            first = words.setdefault(word.text, word)
            if first is not word:
                warnings.append(f"{word.where}: {word.text} is in {first.where} already; that line counts")
        if len(words) == before:
            warnings.append(f"{printable(path)}: adds no hotword")
    return HotwordList(tuple(words.values()), tuple(warnings))


def _parse(line: str, where: str, warnings: list[str]) -> Hotword | None:
    """The word of a line; None for one that has none, with a warning unless it is empty or a comment."""
    line = line.translate(_INVISIBLE)
    comment = _COMMENT.search(line)
    fields = line[: comment.start() if comment else None].split()
    if not fields:
        return None
    weight = _weight(fields, where, warnings)
    written = " ".join(fields)
    text = _PARTED.sub("", written)
    if len(text) < 2 or not any(map(str.isalnum, text)):
        warnings.append(f"{where}: {text} is left out: too short to be told from other speech")
        return None
    if comment and not comment[1]:
        warnings.append(f"{where}: what follows # is a comment; the word is {text}")
    if text != written:
        warnings.append(f"{where}: {written} has a space between Chinese characters; it is taken as {text}, one word")
    if re.search(r"#\S", text):
        warnings.append(f"{where}: # is a part of {text}; a comment needs a space before it")
    if _MARKS.intersection(text):
        warnings.append(f"{where}: {text} looks like several words; write one a line")
    elif len(text) > MAX_WORD_CHARS:
        warnings.append(
            f"{where}: {text} is longer than {MAX_WORD_CHARS} characters and will hardly be heard in one piece"
        )
    return Hotword(text, weight, where)


def _weight(fields: list[str], where: str, warnings: list[str]) -> float:
    """Take the weight from behind a word; of several the last, as FunASR does.

    A number in front of it belongs to a word in letters (iPhone 15), not to a Chinese one.
    """
    numbers = [unicodedata.normalize("NFKC", text) for text in fields]
    end = len(fields)
    while end > 1 and (_NUMBER.fullmatch(numbers[end - 1]) or _NO_NUMBER.fullmatch(numbers[end - 1])):
        end -= 1
    if not re.search(f"[{HAN}]", fields[end - 1]):
        end = max(end, len(fields) - bool(_NUMBER.fullmatch(numbers[-1])))
    given = numbers[end:]
    del fields[end:]
    if not given:
        return DEFAULT_WEIGHT
    if len(given) > 1:
        warnings.append(f"{where}: {' '.join(given)} is more than one weight; the last counts")
    if not _NUMBER.fullmatch(given[-1]):
        warnings.append(f"{where}: the weight {given[-1]} is no number; {DEFAULT_WEIGHT:g} is taken")
        return DEFAULT_WEIGHT
    weight = min(max(float(given[-1]), WEIGHTS[0]), WEIGHTS[1])
    if weight != float(given[-1]):
        warnings.append(f"{where}: the weight {given[-1]} is not between 1 and 100; it is taken as {weight:g}")
    return weight


def _text(path: Path) -> str:
    """The text of a file in UTF-8 or GB18030, LF between its lines."""
    with reading(path, UsageError, hint=None if path.exists() else _lists_like(path)):
        data = path.read_bytes()
    encoding = _encoding(data)
    if b"\0" in data and not encoding:
        raise UsageError("is no text: it holds zero bytes", where=path)
    if encoding not in ("utf-8-sig", "gb18030"):
        what = f"is {encoding}" if encoding else "is text neither in UTF-8 nor in GB18030"
        hint = f"Save it as UTF-8, e.g. with `iconv -f {encoding or 'ENCODING'} -t UTF-8`."
        raise UsageError(what, where=path, hint=hint)
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _lists_like(path: Path) -> str:
    """A hint at the lists that ship, and at the one that was probably meant by the name of a missing file."""
    lists = hotword_lists()
    close = get_close_matches(path.stem.lower(), lists, n=1)
    return f"Lists that ship with funasr-cli: {', '.join(lists)}." + (f" Did you mean {close[0]}?" if close else "")


def _encoding(data: bytes) -> str | None:
    """The encoding of `data`. Chinese encodings fit nearly any bytes: the one counts that makes everyday characters."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    shares: dict[str, float] = {}
    # Text has no zero bytes, but UTF-16 has them, in its ends of lines if nowhere else.
    for encoding in ("UTF-16LE", "UTF-16BE") if b"\0" in data else ("utf-8-sig", "gb18030", "big5"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            foreign = [char for char in text if not char.isascii()]
            if encoding == "utf-8-sig":
                return encoding
            if "\0" not in text:
                shares[encoding] = sum(map(_is_everyday, foreign)) / len(foreign) if foreign else 1.0
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    return best if best and shares[best] >= COMMON_WORD_SHARE else None


def _is_everyday(char: str) -> bool:
    """Whether a character is of GB 2312 or of the first level of Big5: in daily use in one of the two scripts."""
    return bool(char.encode("gb2312", "ignore")) or b"\xa1" <= char.encode("big5", "ignore") < b"\xc7"
