"""Holes: stretches where speech was detected but no text accounts for it. Pure functions; times are in seconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile

from funasr_cli.transcript import Token

MIN_HOLE_S = 1.5
"""Seconds of speech without a word that count as a hole; shorter ones may be the rest of a word or two."""

WORD_S, LETTER_S = 0.3, 0.06
"""A word is assumed to last `WORD_S` plus `LETTER_S` for each of its letters. A token that lasts longer by `MIN_HOLE_S`
hides a hole: an aligner assigns sound without words to the word before or after it."""

MAX_LISTED = 20
"""Holes of a recording that are listed individually."""

WITHOUT_TEXT = "a voice was detected, but no words were recognised; listen to it"

Interval = tuple[float, float]
"""Start and end, in seconds."""


def find_holes(tokens: Iterable[Token], speech: Sequence[Interval], padding: float) -> list[Interval]:
    """Stretches between words that have at least `MIN_HOLE_S` of speech, in order and within `speech`.

    A token that is far too long for its word is part of a hole. The spans of `speech` are sorted and do not overlap;
    each extends `padding` seconds beyond the detected voice at both ends.
    """
    if not speech:
        return []
    voiced = [(start + padding, end - padding) for start, end in speech if end - start > 2 * padding]
    after = speech[-1][1]
    holes, before, explained = list[Interval](), speech[0][0], 0.0
    for token in [*sorted(tokens, key=lambda token: token.start), Token("", after, after, 1.0)]:
        if is_stretched(token):
            explained += word_seconds(token)
            continue
        parts = within(before, token.start, voiced)
        if sum(end - start for start, end in parts) - explained >= MIN_HOLE_S:
            holes.append((max(before, parts[0][0] - padding), min(token.start, parts[-1][1] + padding)))
        before, explained = max(before, token.until), 0.0
    return holes


def is_stretched(token: Token) -> bool:
    """Whether a token lasts so much longer than its word that it must contain a hole."""
    return token.end - token.start >= word_seconds(token) + MIN_HOLE_S


def word_seconds(token: Token) -> float:
    """Assumed duration of the word of a token."""
    return WORD_S + LETTER_S * sum(char.isalnum() for char in token.text)


def within(start: float, end: float, speech: Sequence[Interval]) -> list[Interval]:
    """The parts of `speech` between `start` and `end`, without empty ones."""
    if start >= end:
        return []
    first = bisect_right(speech, start, key=lambda span: span[1])
    found = takewhile(lambda span: span[0] < end, islice(speech, first, None))
    return [(max(start, low), min(end, high)) for low, high in found]


def halves(start: float, end: float, pauses: Iterable[float]) -> list[Interval]:
    """Both halves of a stretch, cut at the pause nearest to its middle if there is one in its middle half."""
    middle, quarter = (start + end) / 2, (end - start) / 4
    cut = min(pauses, key=lambda at: abs(at - middle), default=middle)
    cut = cut if abs(cut - middle) <= quarter else middle
    return [(start, cut), (cut, end)]


def add_speech(speech: list[Interval], spans: Iterable[Interval]) -> None:
    """Append the spans of a window to those of earlier windows, which it may overlap."""
    for start, end in spans:
        if speech and start < speech[-1][1]:
            start, end = speech[-1][0], max(end, speech[-1][1])
            del speech[-1]
        speech.append((start, end))


def hole_warnings(holes: Sequence[Interval]) -> list[str]:
    """Warnings about speech without text, in the order of the recording."""
    listed = [f"{start:.1f}–{end:.1f} s: {WITHOUT_TEXT}" for start, end in holes[:MAX_LISTED]]
    if rest := holes[MAX_LISTED:]:
        seconds = sum(end - start for start, end in rest)
        listed.append(f"after {rest[0][0]:.1f} s: {len(rest)} more places, {seconds:.0f} s in all: {WITHOUT_TEXT}")
    return listed
