"""Give Whisper hotwords as the text before a window, as if they had just been said (OpenAI's `initial_prompt`).

Whisper continues in the style of the preceding text. So the hotwords form a sentence in the spoken language, with its
punctuation and without words in the script of another language.
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
"""Tokens for hotwords, of at most 223 in Whisper: 50 Chinese words of two characters, or about twenty terms. With 75
tokens, twice as many spoken hotwords are missed (benchmarks/README.md)."""


MAX_MISSES = 1000
"""Stop after this many hotwords that do not fit into the remaining space, rather than tokenise all of 100,000."""


class Style(NamedTuple):
    """How words form a sentence: the text before, between and after them."""

    before: str
    between: str
    after: str


UNSPACED, SPACED = Style("", "、", "。"), Style(" ", ", ", ".")
"""Without the final mark, English text loses up to two of five punctuation marks; with one-word sentences it loses
capitals; with spaces instead of 、 Chinese hotwords help less."""

UNSPACED_LANGUAGES = frozenset({"zh", "yue", "ja"})
"""Languages whose text may contain words of all scripts; in others, Chinese characters are out of place."""


def contexts(table: TokenTable, hotwords: Iterable[Hotword], languages: Iterable[str], begin: int) -> NDArray[np.int32]:
    """Return the tokens before windows in each of `languages`: int32 `[languages, n]`, padded with -1.

    `begin` is the token that starts preceding text.
    """
    listed = list(hotwords)
    of_styles = {unspaced: choose(table, listed, unspaced=unspaced)[1] for unspaced in (True, False)}
    rows = [[begin, *ids] if (ids := of_styles[language in UNSPACED_LANGUAGES]) else [] for language in languages]
    width = max(map(len, rows))
    return np.array([row + [-1] * (width - len(row)) for row in rows], np.int32)


def choose(table: TokenTable, hotwords: Iterable[Hotword], *, unspaced: bool) -> tuple[list[Hotword], list[int]]:
    """Choose the hotwords that fit before windows in an `unspaced` or a spaced language; return them and their tokens.

    Hotwords with more weight come first, then those in letters, because they cannot be corrected by sound later, then
    those listed first; preferring rare or short ones does not help. A hotword that does not fit is skipped in favour of
    shorter ones.
    """
    style = UNSPACED if unspaced else SPACED
    chosen: list[Hotword] = []
    ids: list[int] = []
    misses = 0
    for word in sorted(hotwords, key=lambda word: (-word.weight, not in_letters(word.text))):
        if MAX_PROMPT_TOKENS - len(ids) < 2 or misses == MAX_MISSES:  # too few for any word
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
    """Whether a text has no Chinese or Japanese characters."""
    return not any(map(is_unspaced, text))
