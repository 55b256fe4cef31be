"""Turn the text into prose: a new paragraph at a long pause or another speaker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, repeat

from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Paragraph, Token, join

PARAGRAPH_PAUSE_S = 2.0
"""Seconds of silence that begin a new paragraph."""

MAX_PARAGRAPH_S = 90.0
"""Seconds after which a paragraph ends with the next sentence or shorter pause, to avoid one long block."""


def paragraphs(channels: Mapping[int | None, Sequence[Token]]) -> Iterator[Paragraph]:
    """Yield the paragraphs of all channels in order of time; nothing if nothing was said.

    Speakers alternate in whole sentences: a sentence is not cut if another speaker begins during it.
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
