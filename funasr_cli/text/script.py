"""Convert between simplified and traditional Chinese, with OpenCC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

from funasr_cli.text.mainland import mainland
from funasr_cli.text.names import begins_name, is_name
from funasr_cli.text.options import Script
from funasr_cli.text.rewrite import differences, rewrite, text_of
from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import HAN, is_chinese

CONVERSIONS: dict[Script, str] = {"simplified": "t2s", "traditional": "s2t", "taiwan": "s2tw", "hongkong": "s2hk"}
"""OpenCC's names. None of these changes the number of characters or replaces words by regional ones (軟件, 軟體)."""

SURNAMES_AS_THEY_ARE = frozenset("范余于涂向岳游")
"""Surnames in both scripts that are simplified characters of other words (範, 餘, 於, 塗)."""

FULL_WIDTH = str.maketrans(",;?!", "，；？！")
_HALF_WIDTH = re.compile(rf"(?<=[{HAN}])([,;?!])( *)(?=[{HAN}])")


class ScriptConverter:
    """Converts Chinese to one script, sentence by sentence: the words around a character decide (头发 and 发展).

    A sentence with kana is Japanese and stays as it is. A name keeps the characters of its hotword (王乾, 昇腾);
    without a hotword, it keeps characters whose conversion would be a guess (张乾, 毕昇). Half-width punctuation
    between Chinese characters becomes full-width.
    """

    def __init__(self, script: Script, hotwords: Iterable[str] = ()) -> None:
        self._script = script
        self._listed = _Listed(hotwords, script)

    @property
    def hotwords(self) -> Sequence[str]:
        """The Chinese hotwords as they are written in the text."""
        return self._listed.written

    def convert(self, tokens: Sequence[Token]) -> list[Token]:
        """Return the tokens in the script, with all their times."""
        converted: list[Token] = []
        for sentence, after in pairwise([*sentences(tokens), ()]):
            text = text_of(sentence)
            if is_chinese(text):
                sentence = rewrite(sentence, differences(text, self._converted(text)))
                sentence = list(_full_width(sentence, after[0].text if after else ""))
            converted += sentence
        return converted

    def _converted(self, text: str) -> str:
        after = _convert(text, CONVERSIONS[self._script])
        if len(after) != len(text):
            return after
        after = mainland(text, after) if self._script == "simplified" else _with_surnames(text, after)
        return self._listed.kept(text, after)


class _Listed:
    """Hotwords whose characters a conversion would change.

    In simplified text, a listed word keeps all characters of the list. In traditional text, a word that the list has in
    simplified characters is converted like the text around it, unless it is a name, which may have had these characters
    all along (范曾).
    """

    def __init__(self, hotwords: Iterable[str], script: Script) -> None:
        words = [word for word in hotwords if is_chinese(word)]
        plain, after = _convert_all(words, "t2s"), _convert_all(words, CONVERSIONS[script])
        self.written = after.copy()
        self._by_head: dict[str, list[tuple[str, str]]] = {}
        for at, (word, simple, other) in enumerate(zip(words, plain, after, strict=True)):
            mixed = word not in (simple, other)
            if word != other and len(word) == len(simple) and (script == "simplified" or mixed or is_name(simple)):
                self._by_head.setdefault(simple[:2], []).append((simple, word))
                self.written[at] = word
        for entries in self._by_head.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def kept(self, text: str, after: str) -> str:
        """Return `after`, the conversion of `text`, with the list's characters if it changed those of a listed word."""
        if not self._by_head:
            return after
        chars, plain = list(after), simplified(text)
        for start, word in self._found(plain):
            for at, char in enumerate(word, start):
                if text[at] != after[at]:  # 升腾, rising steam, is not 昇腾
                    chars[at] = char
        return "".join(chars)

    def _found(self, plain: str) -> Iterator[tuple[int, str]]:
        """Yield where listed words begin, the longest at each place, and how the list writes them."""
        for start in range(len(plain) - 1):
            for simple, word in self._by_head.get(plain[start : start + 2], ()):
                if plain.startswith(simple, start):
                    yield start, word
                    break


def simplified(text: str) -> str:
    """Return `text` in simplified characters, with the same number of characters."""
    converted = _convert(text, "t2s")
    return converted if len(converted) == len(text) else text


def all_simplified(words: Sequence[str]) -> list[str]:
    """Simplify each word like `simplified`."""
    converted = _convert_all(words, "t2s")
    return [after if len(after) == len(word) else word for word, after in zip(words, converted, strict=True)]


def _with_surnames(text: str, after: str) -> str:
    """Return `after`, traditional characters, with the surnames in `text` that it takes for other words (范, 余)."""
    plain = ""
    for at, char in enumerate(text):
        if char in SURNAMES_AS_THEY_ARE and after[at] != char:
            plain = plain or simplified(text)
            if begins_name(plain, at):
                after = after[:at] + char + after[at + 1 :]
    return after


def _full_width(tokens: Sequence[Token], following: str) -> Iterator[Token]:
    """Yield the tokens with full-width punctuation between Chinese characters; `following` is the text after them."""
    text = text_of(tokens)
    after = _HALF_WIDTH.sub(lambda mark: mark[1].translate(FULL_WIDTH) + "\0" * len(mark[2]), text + following)
    at = 0
    for token in tokens:
        end = at + len(token.text)
        yield replace(token, text=after[at:end].replace("\0", "")) if after[at:end] != token.text else token
        at = end


def _convert(text: str, conversion: str) -> str:
    converted: str = _converter(conversion).convert(text)
    return converted


def _convert_all(words: Sequence[str], conversion: str) -> list[str]:
    """Convert each word separately, in one call: a list may have 100,000 words."""
    return _convert("\n".join(words), conversion).split("\n") if words else []


@cache
def _converter(conversion: str) -> Any:
    from opencc import OpenCC  # imported here because only Chinese needs it

    return OpenCC(conversion)
