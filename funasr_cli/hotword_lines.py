"""Parser for a line of a hotword file: a word and its weight, in any of the common notations.

FunASR writes `word 20`, sherpa-onnx `word :2.0`, other tools `word:20` or `word^5`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Set
from typing import NamedTuple

from funasr_cli.unicode_ranges import HAN

DEFAULT_WEIGHT = 20.0
"""The weight that FunASR's runtime uses if a line has none (`fst_inc_wts`)."""

WEIGHTS = (1.0, 100.0)
"""The range of weights that FunASR recommends."""

MAX_WORD_CHARS = 20
"""Characters of the longest word that is likely to be recognised as a whole; FunASR recommends at most 10."""

MIN_WORD_CHARS = 2
"""Characters of the shortest word that can be distinguished from other speech. In F 16, the number joins the word."""

FIRST_YEAR = 1900
"""A number from here on belongs to the word before it: it may be a year, and is too large for a weight."""

_PLAIN = re.compile(f"[{HAN}]{{{MIN_WORD_CHARS},{MAX_WORD_CHARS}}}")
_COMMENT = re.compile(rf"(^|\s|(?<=[{HAN}]))[#＃]")
_NUMERAL = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
_NUMBER = re.compile(_NUMERAL, re.IGNORECASE)
_NO_NUMBER = re.compile(r"[-+]?(nan|inf(inity)?)|[^\w\s]*\d[\d\W_]*", re.IGNORECASE)
"""Invalid weights after Chinese characters: NaN, 20%, 1.2.3."""

_MARKED = re.compile(rf"(.*?(?:\S\s+|[^\s\d]))[:^]\s*({_NUMERAL})", re.IGNORECASE)
"""A word followed by a colon or caret and a weight; 16:9 does not match."""

_QUOTED = re.compile(r'(["“”])(.+?)["“”](?=\s|[:：^]|$)')
_RULE = re.compile(r"\S\s*(?:=+>?|[-=]>|[→⇒＝])\s*(\S.*)")
_PARTED = re.compile(rf"(?<=[{HAN}]) (?=[{HAN}])")
_LETTERS_AND_NUMBER = re.compile(r"[A-Za-z]\S*\s+[\d.]")
_HAN = re.compile(f"[{HAN}]")
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
_MARKS = frozenset("，、；。,;|/\\")


class Line(NamedTuple):
    """A parsed line: the word (None if there is none), its weight, and warnings for the user."""

    text: str | None
    weight: float = DEFAULT_WEIGHT
    warnings: tuple[str, ...] = ()
    marked: bool = False
    """Whether the weight follows a colon or caret, the notation of other tools."""


class _Weighed(NamedTuple):
    text: str
    weight: float
    warnings: tuple[str, ...]
    marked: bool = False


def series(lines: Iterable[str]) -> Set[str]:
    """Find the words in letters that occur before different numbers, in lower case: iphone for iPhone 15, iPhone 16."""
    numbers = defaultdict[str, set[str]](set)
    for line in lines:
        if not _LETTERS_AND_NUMBER.search(line):
            continue
        *word, number = _bare(line).split() or [""]
        if word and _is_number(number) and not _is_number(word[-1]) and not _HAN.search(word[-1]):
            numbers[" ".join(word).lower()].add(number)
    return {word for word, found in numbers.items() if len(found) > 1}


def parse(line: str, numbered: Set[str] = frozenset()) -> Line:
    """Parse a line. An empty line or a comment gives no warnings. `numbered` are the words found by `series`."""
    if _PLAIN.fullmatch(line):  # the fast path for most lines of a long list
        return Line(line)
    bare, comment = _bare(line), _COMMENT.search(line)
    if not bare:
        return Line(None)
    if rule := _RULE.search(bare):
        return Line(None, warnings=(f"{bare} is ignored: it looks like a rule; write only the word: {rule[1]}",))
    written, weight, warnings, marked = _weighed(bare, numbered)
    text = _PARTED.sub("", written)
    if len(text) < MIN_WORD_CHARS or not any(map(str.isalnum, text)):
        return Line(None, warnings=(*warnings, f"{text} is ignored: too short to be distinguished from other speech"))
    told = list(warnings)
    if comment and not comment[1]:
        told.append(f"the text after # is read as a comment; the word is {text}")
    if text != written:
        told.append(f"{written} has a space between Chinese characters; it is read as one word, {text}")
    if re.search(r"#\S", text):
        told.append(f"# is read as part of {text}; put a space before a comment")
    if _MARKS.intersection(text):
        told.append(f"{text} looks like several words; write one word per line")
    elif len(text) > MAX_WORD_CHARS:
        told.append(f"{text} is longer than {MAX_WORD_CHARS} characters and is unlikely to be recognised as a whole")
    return Line(text, weight, tuple(told), marked)


def _bare(line: str) -> str:
    """Strip comment, invisible characters and surrounding spaces from a line."""
    line = line.translate(_INVISIBLE)
    comment = _COMMENT.search(line)
    return line[: comment.start() if comment else None].strip()


def _weighed(bare: str, numbered: Set[str]) -> _Weighed:
    """Split a line into the word, with single spaces between its parts, and the weight."""
    if quoted := _QUOTED.match(bare):
        word, rest = " ".join(quoted[2].split()), bare[quoted.end() :].strip().lstrip(":：^").strip()
        if not rest:
            return _Weighed(word, DEFAULT_WEIGHT, ())
        if _is_number(rest):
            return _Weighed(word, *_bounded(_plain(rest)))
    if marked := _MARKED.fullmatch(bare.replace("：", ":")):
        return _Weighed(" ".join(marked[1].split()), *_bounded(_plain(marked[2])), marked=True)
    return _trailing(bare.split(), numbered)


def _trailing(fields: list[str], numbered: Set[str]) -> _Weighed:
    """Take the weight after a word. Of several weights the last counts, as in FunASR.

    A number before the weight belongs to a word in letters (iPhone 15), but not to a Chinese one.
    """
    numbers = [_plain(text) for text in fields]
    end = len(fields)
    while end > 1 and (_NUMBER.fullmatch(numbers[end - 1]) or _NO_NUMBER.fullmatch(numbers[end - 1])):
        end -= 1
    letters = not _HAN.search(fields[end - 1])
    if letters:
        end = max(end, len(fields) - bool(_NUMBER.fullmatch(numbers[-1])))
    elif end < len(fields) and _is_year(numbers[end]):
        end += 1
    given, word = numbers[end:], " ".join(fields[:end])
    if letters and given and (_is_year(given[0]) or word.lower() in numbered or len(word) < MIN_WORD_CHARS):
        given, word = [], " ".join(fields)
    if not given:
        return _Weighed(word, DEFAULT_WEIGHT, ())
    told = [f"{' '.join(given)} is more than one weight; the last counts"] if len(given) > 1 else []
    if not _NUMBER.fullmatch(given[-1]):
        return _Weighed(
            word, DEFAULT_WEIGHT, (*told, f"the weight {given[-1]} is not a number; {DEFAULT_WEIGHT:g} is used")
        )
    weight, more = _bounded(given[-1])
    if letters and any(map(str.isalpha, fields[end - 1])):
        whole = f"{word} {given[-1]}"
        told.append(f'{given[-1]} is read as the weight of {word}; write "{whole}" in quotes if it is part of the word')
    return _Weighed(word, weight, (*told, *more))


def _bounded(number: str) -> tuple[float, tuple[str, ...]]:
    """Clamp a weight to `WEIGHTS`; return it with a warning if it was outside."""
    weight = min(max(float(number), WEIGHTS[0]), WEIGHTS[1])
    if weight == float(number):
        return weight, ()
    return weight, (f"the weight {number} is not between 1 and 100; {weight:g} is used",)


def _plain(text: str) -> str:
    """Replace full-width digits and marks by ASCII."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(_plain(text)) is not None


def _is_year(number: str) -> bool:
    return number.isdecimal() and int(number) >= FIRST_YEAR
