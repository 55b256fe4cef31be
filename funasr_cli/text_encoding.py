"""Detection of a text's encoding, among those used for Chinese."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from funasr_cli.surnames import SURNAMES
from funasr_cli.unicode_ranges import HAN, is_han

COMMON_WORD_SHARE = 0.5
"""The minimum share of everyday characters in Chinese text; the wrong encoding gives about a quarter."""

SURE_SHARE = 0.9
"""The same for UTF-16 without zero bytes or a byte order mark, the usual signs of it."""

READABLE = ("utf-8-sig", "gb18030")
"""Encodings that `decoded` accepts."""

SHOWN_CHARS = 8
"""Characters of a text that suffice to recognise its language."""

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_ASCII_LETTER = re.compile("[A-Za-z]")
_LETTERS = {
    "LATIN": re.compile("[\u00c0-\u017f]+"),
    "GREEK": re.compile("[\u0386-\u03ce]+"),
    "CYRILLIC": re.compile("[\u0400-\u045f]+"),
    "HEBREW": re.compile("[\u05d0-\u05ea]+"),
    "ARABIC": re.compile("[\u0621-\u0652]+"),
}
"""Common letters of scripts with two bytes per letter in UTF-8, like everyday Chinese characters in GB18030."""

_WORD = re.compile(rf"[\w{HAN}]+")
_KANA = re.compile("[\u3041-\u30ff]")


def decoded(data: bytes) -> str:
    """Decode `data` from UTF-8 or GB18030, with LF line ends.

    Raises `ValueError` with two arguments: a message that names the actual encoding, if it can be detected, and a hint.
    """
    encoding = encoding_of(data)
    if b"\0" in data and not encoding:
        raise ValueError("is not text: it contains zero bytes", None)
    if encoding not in READABLE:
        what = f"is {encoding}" if encoding else "is neither UTF-8 nor GB18030 text"
        raise ValueError(what, f"Save it as UTF-8, e.g. with `iconv -f {encoding or 'ENCODING'} -t UTF-8`.")
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def encoding_of(data: bytes) -> str | None:
    """Detect the encoding of `data`; None if it is unknown.

    Nearly any bytes are valid in the Chinese encodings, so the one that yields the most everyday characters wins. If
    none yields enough, `data` may be a list of rare names: then it is GB18030 if that yields only Chinese words.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    shares: dict[str, float] = {}
    # Only UTF-16 text has zero bytes, at least in its line ends.
    for encoding in ("UTF-16LE", "UTF-16BE") if b"\0" in data else ("utf-8-sig", "gb18030", "big5"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if encoding == "utf-8-sig":
                return encoding if _chinese_behind(data) is None or _scripts(text) else "gb18030"
            if "\0" not in text:
                shares[encoding] = _everyday_share(text)
                if encoding == "gb18030" and _names_share(text) >= COMMON_WORD_SHARE:
                    return encoding  # their rare characters may be everyday ones in Big5
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    if best and shares[best] >= COMMON_WORD_SHARE:
        return best
    for encoding in ("UTF-16LE", "UTF-16BE"):
        with suppress(UnicodeDecodeError):
            if _everyday_share(data.decode(encoding)) >= SURE_SHARE:
                return encoding
    return "gb18030" if "gb18030" in shares and _may_be_names(data) else None


def ambiguity(data: bytes) -> str | None:
    """Warning for a UTF-8 or GB18030 text that also makes sense in the other encoding; None if it does not.

    转写 in GB18030 is the UTF-8 of a Hebrew letter and a Cyrillic one.
    """
    chinese = _chinese_behind(data)
    if chinese is None:
        return None
    other = data.decode("utf-8")
    scripts = _scripts(other)
    if scripts and scripts <= {"LATIN", ""}:
        return None  # café, 25 °C
    taken, as_well = ("UTF-8", other), ("GB18030", chinese)
    if not scripts:
        taken, as_well = as_well, taken
    return (
        f"is read as {taken[0]} ({_foreign(taken[1])}), but could be {as_well[0]} ({_foreign(as_well[1])}); "
        "to be sure, save it as UTF-8 with a byte order mark"
    )


def _chinese_behind(data: bytes) -> str | None:
    """Decode UTF-8 text as GB18030; None if that is not everyday Chinese, or if a byte order mark says UTF-8."""
    with suppress(UnicodeDecodeError):
        utf8, chinese = data.decode("utf-8"), data.decode("gb18030")
        foreign = _foreign(chinese, None)
        if foreign and not utf8.startswith("\ufeff") and all(is_han(char) and _is_everyday(char) for char in foreign):
            return chinese
    return None


def _scripts(text: str) -> set[str]:
    """The scripts of the non-ASCII parts of a text, "" for symbols next to digits; empty if the text is implausible.

    In plausible text, each word is in common letters of one script, and Latin ones are on lines with ASCII letters.
    """
    found = set[str]()
    for line in text.splitlines():
        for run in _FOREIGN.finditer(line):
            around = line[: run.start()].rstrip(" ")[-1:] + line[run.end() :][:1]
            script = next((name for name, letters in _LETTERS.items() if letters.fullmatch(run[0])), None)
            if not any(map(str.isalnum, run[0])) and any(map(str.isdigit, around)):
                found.add("")
            elif script is None or (script == "LATIN" and not _ASCII_LETTER.search(line)):
                return set()
            else:
                found.add(script)
    return found


def _foreign(text: str, count: int | None = SHOWN_CHARS) -> str:
    return "".join(_FOREIGN.findall(text))[:count]


def _may_be_names(data: bytes) -> bool:
    """Whether `data` in GB18030 has only Chinese words, and in Shift JIS no kana."""
    words = _WORD.findall(data.decode("gb18030"))
    foreign = [word for word in words if not word.isascii()]
    with suppress(UnicodeDecodeError):
        if _KANA.search(data.decode("shift_jis")):
            return False
    return bool(foreign) and all(map(is_han, foreign))


def _names_share(text: str) -> float:
    """The share of non-ASCII lines that begin with a surname."""
    lines = [line for line in text.split("\n") if not line.isascii()]
    return sum(line[0] in SURNAMES for line in lines) / len(lines) if lines else 0.0


def _everyday_share(text: str) -> float:
    foreign = [char for char in text if not char.isascii()]
    return sum(map(_is_everyday, foreign)) / len(foreign) if foreign else 1.0


def _is_everyday(char: str) -> bool:
    """Whether a character is in GB 2312 or in the first level of Big5: in daily use in one of the two scripts."""
    return bool(char.encode("gb2312", "ignore")) or b"\xa1" <= char.encode("big5", "ignore") < b"\xc7"
