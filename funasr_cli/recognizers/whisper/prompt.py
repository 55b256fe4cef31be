"""Hotwords in front of what Whisper is to write, as if they had just been said (OpenAI's `initial_prompt`).

Whisper goes on in the style of what it takes for the text before. So the hotwords are a sentence of the language that
is spoken, with its marks, and a language gets none of another's script.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as TokenTable

from funasr_cli.hotwords import Hotword
from funasr_cli.recognizers.words import is_unspaced

MAX_PROMPT_TOKENS = 150
"""Tokens, of the 223 that Whisper has room for: 50 Chinese words of two characters, about twenty terms. With 75, twice
as many of the words that were said are missed (benchmarks/README.md)."""


MAX_MISSES = 1000
"""Hotwords that are tried in vain for the room that is left: of 100,000 each would be turned into tokens."""


class Style(NamedTuple):
    """How words stand in a sentence: what is in front of it, between them, and behind them."""

    before: str
    between: str
    after: str


UNSPACED, SPACED = Style("", "、", "。"), Style(" ", ", ", ".")
"""Without the mark at the end an English text loses up to two of five marks; with sentences of one word it loses
capitals; with spaces in the place of 、 Chinese words help less."""

UNSPACED_LANGUAGES = frozenset({"zh", "yue", "ja"})
"""Those that mix words of all scripts; in the others, Chinese characters are out of place."""


def contexts(table: TokenTable, hotwords: Iterable[Hotword], languages: Iterable[str], begin: int) -> NDArray[np.int32]:
    """What stands in front of windows in each of `languages`: int32 `[languages, n]`, -1 behind the end of each.

    `begin` is the token that what was said before begins with.
    """
    listed = list(hotwords)
    of_styles = {unspaced: choose(table, listed, unspaced=unspaced)[1] for unspaced in (True, False)}
    rows = [[begin, *ids] if (ids := of_styles[language in UNSPACED_LANGUAGES]) else [] for language in languages]
    width = max(map(len, rows))
    return np.array([row + [-1] * (width - len(row)) for row in rows], np.int32)


def choose(table: TokenTable, hotwords: Iterable[Hotword], *, unspaced: bool) -> tuple[list[Hotword], list[int]]:
    """The hotwords that fit in front of windows in a language without spaces, or of one with spaces; and their tokens.

    Those of more weight first; then those in letters, which cannot be put right by their sound afterwards; then those
    listed first: with rare or short ones first, no more are heard. One that does not fit makes room for shorter ones.
    """
    style = UNSPACED if unspaced else SPACED
    chosen: list[Hotword] = []
    ids: list[int] = []
    misses = 0
    for word in sorted(hotwords, key=lambda word: (-word.weight, not in_letters(word.text))):
        if MAX_PROMPT_TOKENS - len(ids) < 2 or misses == MAX_MISSES:  # no word is as short as that
            break
        if not (unspaced or in_letters(word.text)):
            continue
        sentence = style.before + style.between.join([*(word.text for word in chosen), word.text]) + style.after
        longer = table.encode(sentence, add_special_tokens=False).ids
        if len(longer) <= MAX_PROMPT_TOKENS:
            chosen.append(word)
            ids = longer
        else:
            misses += 1
    return chosen, ids


def in_letters(text: str) -> bool:
    """Whether nothing of it belongs to Chinese or Japanese writing."""
    return not any(map(is_unspaced, text))
