"""Simplified and traditional Chinese, through OpenCC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from funasr_cli.text.options import Script
from funasr_cli.text.rewrite import differences, rewrite, text_of
from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import is_chinese

CONVERSIONS = {"simplified": "t2s", "traditional": "s2t"}
"""OpenCC's names. Neither changes the number of characters."""


class ScriptConverter:
    """Puts Chinese into one script, a sentence at a time: the words around a character decide (头发 and 发展).

    A sentence with kana is Japanese and stays as it is. Hotwords that mix the scripts, as the name 昇腾 does, are
    written as in their list.
    """

    def __init__(self, script: Script, hotwords: Iterable[str] = ()) -> None:
        self._conversion = CONVERSIONS[script]
        mixed = [word for word in hotwords if all(_convert(word, name) != word for name in CONVERSIONS.values())]
        self._names = {_convert(word, self._conversion): word for word in mixed}
        self._pattern = re.compile("|".join(map(re.escape, self._names)) or "(?!)")

    def convert(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens in the script, with all their times."""
        converted: list[Token] = []
        for sentence in sentences(tokens):
            text = text_of(sentence)
            after = self._converted(text) if is_chinese(text) else text
            converted += rewrite(sentence, differences(text, after))
        return converted

    def _converted(self, text: str) -> str:
        after = _convert(text, self._conversion)
        for match in self._pattern.finditer(after):
            start, end = match.span()
            if text[start:end] != match.group():  # 升腾, as in rising steam, is no mixture
                after = after[:start] + self._names[match.group()] + after[end:]
        return after


def simplified(text: str) -> str:
    """`text` in simplified characters, with as many characters."""
    converted = _convert(text, CONVERSIONS["simplified"])
    return converted if len(converted) == len(text) else text


def _convert(text: str, conversion: str) -> str:
    converted: str = _converter(conversion).convert(text)
    return converted


@cache
def _converter(conversion: str) -> Any:
    from opencc import OpenCC  # here, because only Chinese needs it

    return OpenCC(conversion)
