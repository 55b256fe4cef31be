"""Which encoding a text is in, of those that Chinese text comes in."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from funasr_cli.surnames import SURNAMES
from funasr_cli.unicode_ranges import HAN, is_han

COMMON_WORD_SHARE = 0.5
"""The least share of everyday characters in Chinese text; bytes of other encodings make a quarter."""

SURE_SHARE = 0.9
"""The same for UTF-16 without zero bytes or a byte order mark, by which it would be known."""

READABLE = ("utf-8-sig", "gb18030")
"""What `decoded` takes."""

SHOWN_CHARS = 8
"""Characters of a text that are enough to see which language it is in."""

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_ASCII_LETTER = re.compile("[A-Za-z]")
_LETTERS = {
    "LATIN": re.compile("[\u00c0-\u017f]+"),
    "GREEK": re.compile("[\u0386-\u03ce]+"),
    "CYRILLIC": re.compile("[\u0400-\u045f]+"),
    "HEBREW": re.compile("[\u05d0-\u05ea]+"),
    "ARABIC": re.compile("[\u0621-\u0652]+"),
}
"""The usual letters of scripts that take two bytes a letter in UTF-8, as everyday Chinese characters do in GB18030."""

_WORD = re.compile(rf"[\w{HAN}]+")
_KANA = re.compile("[\u3041-\u30ff]")


def decoded(data: bytes) -> str:
    """The text of `data` in UTF-8 or GB18030, LF between its lines.

    Raises `ValueError` that names what it is instead, as far as that shows, and has the words for a hint as its second
    argument.
    """
    encoding = encoding_of(data)
    if b"\0" in data and not encoding:
        raise ValueError("is no text: it holds zero bytes", None)
    if encoding not in READABLE:
        what = f"is {encoding}" if encoding else "is text neither in UTF-8 nor in GB18030"
        raise ValueError(what, f"Save it as UTF-8, e.g. with `iconv -f {encoding or 'ENCODING'} -t UTF-8`.")
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def encoding_of(data: bytes) -> str | None:
    """The encoding of `data`. Chinese encodings fit nearly any bytes: the one counts that makes everyday characters.

    If none does, it is GB18030 as long as that makes words of Chinese characters alone: a list of rare names.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    shares: dict[str, float] = {}
    # Text has no zero bytes, but UTF-16 has them, in its ends of lines if nowhere else.
    for encoding in ("UTF-16LE", "UTF-16BE") if b"\0" in data else ("utf-8-sig", "gb18030", "big5"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if encoding == "utf-8-sig":
                return encoding if _chinese_behind(data) is None or _scripts(text) else "gb18030"
            if "\0" not in text:
                shares[encoding] = _everyday_share(text)
                if encoding == "gb18030" and _names_share(text) >= COMMON_WORD_SHARE:
                    return encoding  # as Big5 their rare characters may be everyday ones
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    if best and shares[best] >= COMMON_WORD_SHARE:
        return best
    for encoding in ("UTF-16LE", "UTF-16BE"):
        with suppress(UnicodeDecodeError):
            if _everyday_share(data.decode(encoding)) >= SURE_SHARE:
                return encoding
    return "gb18030" if "gb18030" in shares and _may_be_names(data) else None


def ambiguity(data: bytes) -> str | None:
    """What is to be said of a text in UTF-8 or GB18030 that makes sense in the other too; None if it does not.

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
        f"is taken for {taken[0]} ({_foreign(taken[1])}), but could be {as_well[0]} ({_foreign(as_well[1])}); "
        "to be sure, save it as UTF-8 with a byte order mark"
    )


def _chinese_behind(data: bytes) -> str | None:
    """What a text in UTF-8 is in GB18030, if that is everyday Chinese; None if it is not, or if a mark says UTF-8."""
    with suppress(UnicodeDecodeError):
        utf8, chinese = data.decode("utf-8"), data.decode("gb18030")
        foreign = _foreign(chinese, None)
        if foreign and not utf8.startswith("\ufeff") and all(is_han(char) and _is_everyday(char) for char in foreign):
            return chinese
    return None


def _scripts(text: str) -> set[str]:
    """The scripts of what is not ASCII in a text, "" for signs beside figures; empty if people do not write so.

    They write words of one script each and of its usual letters, Latin ones in lines with ASCII letters.
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
    """Whether GB18030 makes words of Chinese characters alone of `data`, and Shift JIS makes no kana of it."""
    words = _WORD.findall(data.decode("gb18030"))
    foreign = [word for word in words if not word.isascii()]
    with suppress(UnicodeDecodeError):
        if _KANA.search(data.decode("shift_jis")):
            return False
    return bool(foreign) and all(map(is_han, foreign))


def _names_share(text: str) -> float:
    """The share of lines that begin with a surname, of those with Chinese characters."""
    lines = [line for line in text.split("\n") if not line.isascii()]
    return sum(line[0] in SURNAMES for line in lines) / len(lines) if lines else 0.0


def _everyday_share(text: str) -> float:
    foreign = [char for char in text if not char.isascii()]
    return sum(map(_is_everyday, foreign)) / len(foreign) if foreign else 1.0


def _is_everyday(char: str) -> bool:
    """Whether a character is of GB 2312 or of the first level of Big5: in daily use in one of the two scripts."""
    return bool(char.encode("gb2312", "ignore")) or b"\xa1" <= char.encode("big5", "ignore") < b"\xc7"
