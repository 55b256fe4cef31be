"""The text as prose: paragraphs at long pauses, and where another speaker begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, repeat

from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Paragraph, Token, join

PARAGRAPH_PAUSE_S = 2.0
"""Seconds of silence that begin a new paragraph."""

MAX_PARAGRAPH_S = 90.0
"""Seconds after which a paragraph ends with the next sentence or lesser pause, so that a speech is no single block."""


def paragraphs(channels: Mapping[int | None, Sequence[Token]]) -> Iterator[Paragraph]:
    """The paragraphs of what was said in each channel, in order of time; nothing where nothing was said.

    Speakers take turns by whole sentences: nobody's is cut where another begins.
    """
    spoken = (zip(repeat(channel), sentences(tokens)) for channel, tokens in channels.items())
    in_order = merge(*spoken, key=lambda turn: turn[1][0].start)
    for channel, turn in groupby(in_order, key=lambda turn: turn[0]):
        yield from _turn((sentence for _, sentence in turn), channel)


def _turn(spoken: Iterable[Sequence[Token]], channel: int | None) -> Iterator[Paragraph]:
    paragraph: list[Token] = []
    for sentence in spoken:
        if paragraph:
            pause = sentence[0].start - paragraph[-1].until
            if pause >= PARAGRAPH_PAUSE_S or paragraph[-1].end - paragraph[0].start >= MAX_PARAGRAPH_S:
                yield from _paragraph(paragraph, channel)
                paragraph = []
        paragraph += sentence
    yield from _paragraph(paragraph, channel)


def _paragraph(tokens: Sequence[Token], channel: int | None) -> Iterator[Paragraph]:
    if text := join(tokens):
        yield Paragraph(tokens[0].start, text, channel)
