"""The text as prose: paragraphs at long pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Paragraph, Token, join

PARAGRAPH_PAUSE = 2.0
"""Seconds of silence that begin a new paragraph."""

LONG = 90.0
"""Seconds after which a paragraph ends with the next sentence or lesser pause, so that a speech is no single block."""


def paragraphs(tokens: Sequence[Token]) -> Iterator[Paragraph]:
    """The paragraphs of the text; nothing where nothing was said."""
    paragraph: list[Token] = []
    for sentence in sentences(tokens):
        if paragraph:
            pause = sentence[0].start - paragraph[-1].until
            if pause >= PARAGRAPH_PAUSE or paragraph[-1].end - paragraph[0].start >= LONG:
                yield from _paragraph(paragraph)
                paragraph = []
        paragraph += sentence
    yield from _paragraph(paragraph)


def _paragraph(tokens: Sequence[Token]) -> Iterator[Paragraph]:
    if text := join(tokens):
        yield Paragraph(tokens[0].start, text)
