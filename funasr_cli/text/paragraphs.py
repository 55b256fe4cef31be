"""The text as prose: paragraphs at long pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from funasr_cli.transcript import Token, join

PARAGRAPH_PAUSE = 2.0
"""Seconds of silence that begin a new paragraph."""

PHRASE_PAUSE = 0.4
"""Seconds of silence that a space stands for where a script has no spaces and the model gave no punctuation."""


def paragraphs(tokens: Sequence[Token]) -> Iterator[str]:
    """The paragraphs of the text, each on one line."""
    phrase: list[Token] = []
    for token in tokens:
        pause = token.start - phrase[-1].until if phrase else 0.0
        if pause >= PARAGRAPH_PAUSE:
            yield join(phrase)
            phrase = []
        elif pause >= PHRASE_PAUSE and _runs_on(phrase[-1], token):
            token = replace(token, text=" " + token.text)
        phrase.append(token)
    if phrase:
        yield join(phrase)


def _runs_on(before: Token, after: Token) -> bool:
    """Whether two letters or digits would touch."""
    return before.text[-1:].isalnum() and after.text[:1].isalnum()
