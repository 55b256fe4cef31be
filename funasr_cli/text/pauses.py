"""Pauses that a reader should see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from funasr_cli.transcript import Token

PHRASE_PAUSE_S = 0.4
"""Seconds of silence that a space stands for where a script has no spaces and the model gave no punctuation."""


def mark_pauses(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens, with a space before each that follows a pause and would touch the letter or digit before it."""
    before: Token | None = None
    for token in tokens:
        runs_on = before is not None and before.text[-1:].isalnum() and token.text[:1].isalnum()
        if before is not None and runs_on and token.start - before.until >= PHRASE_PAUSE_S:
            token = replace(token, text=" " + token.text)
        yield token
        before = token
