"""Split speech into sentences: up to the end of a sentence, or to a pause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from funasr_cli.text.abbreviations import goes_on
from funasr_cli.text.clusters import is_joined
from funasr_cli.text.rewrite import text_of
from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import SENTENCE_TERMINAL

SENTENCE_END = SENTENCE_TERMINAL | {"…"}
CLOSING = "\"'”’」』)）》"
SENTENCE_PAUSE_S = 0.8
"""Seconds of silence that end a sentence."""

LAST_WORDS = 8
"""Tokens that are enough for the last words of a sentence, even if z. B. or p.m. come as letters and points."""


def sentences(tokens: Sequence[Token], pause: float = SENTENCE_PAUSE_S) -> Iterator[Sequence[Token]]:
    """Yield all tokens in order, sentence by sentence; without punctuation, a sentence ends at a pause."""
    begin = 0
    for i, (token, after) in enumerate(pairwise(tokens), start=1):
        pause_here = after.start - token.until
        ends = pause_here >= pause or (
            ends_with(token, SENTENCE_END) and _may_end(tokens[max(begin, i - LAST_WORDS) : i], after, pause_here)
        )
        if ends and not is_joined(token.text, after.text):
            yield tokens[begin:i]
            begin = i
    if begin < len(tokens):
        yield tokens[begin:]


def ends_with(token: Token, marks: frozenset[str]) -> bool:
    """Whether the token's text ends with one of `marks`, ignoring closing quotes and brackets."""
    return token.text.rstrip().rstrip(CLOSING)[-1:] in marks


def _may_end(last: Sequence[Token], after: Token, pause: float) -> bool:
    """Whether a sentence ends with the mark of its `last` words, `pause` seconds before `after`.

    It does not if the mark is a full stop without a space after it (3.5, example.com), or that of an abbreviation.
    """
    text = text_of(last).rstrip()
    if not text.endswith("."):
        return True
    return (after.text.startswith(" ") or not after.text[:1].isascii()) and not goes_on(text, after.text, pause)
