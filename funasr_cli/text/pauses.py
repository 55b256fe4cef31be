"""Make pauses visible to readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from funasr_cli.text.clusters import is_joined
from funasr_cli.transcript import Token

PHRASE_PAUSE_S = 0.4
"""Seconds of silence shown as a space if the script has no spaces and the model gave no punctuation."""


def mark_pauses(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens, with a space before each that follows a pause and would touch a letter or digit."""
    before: Token | None = None
    for token in tokens:
        if before is not None and token.start - before.until >= PHRASE_PAUSE_S and _touch(before.text, token.text):
            token = replace(token, text=" " + token.text)
        yield token
        before = token


def _touch(before: str, after: str) -> bool:
    return before[-1:].isalnum() and after[:1].isalnum() and not is_joined(before, after)
