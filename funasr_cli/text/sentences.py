"""Stretches of speech that belong together: up to the end of a sentence, or a pause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from funasr_cli.transcript import Token

SENTENCE_END = frozenset("。！？!?.…")
CLOSING = "\"'”’」』)）》"
SENTENCE_PAUSE_S = 0.8
"""Seconds of silence that part what belongs together."""


def sentences(tokens: Sequence[Token], pause: float = SENTENCE_PAUSE_S) -> Iterator[Sequence[Token]]:
    """All tokens in order, a sentence at a time; where there is no punctuation, what is said without a pause."""
    begin = 0
    for i, (token, after) in enumerate(pairwise(tokens), start=1):
        if after.start - token.until >= pause or (ends_with(token, SENTENCE_END) and _may_end(token, after)):
            yield tokens[begin:i]
            begin = i
    if begin < len(tokens):
        yield tokens[begin:]


def ends_with(token: Token, marks: frozenset[str]) -> bool:
    """Whether the token's text ends with one of `marks`, closing quotes and brackets aside."""
    return token.text.rstrip().rstrip(CLOSING)[-1:] in marks


def _may_end(token: Token, after: Token) -> bool:
    """A full stop in front of a letter or a digit without a space (3.5, example.com) ends nothing."""
    return not token.text.rstrip().endswith(".") or after.text.startswith(" ") or not after.text[:1].isascii()
