"""A second look at speech for which a window has no words: it is run again, by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TypeAlias

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.windows import Window
from funasr_cli.pipeline.holes import Interval, find_holes, halves, is_stretched, word_seconds
from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.recognizers.words import MAX_WORD_S, mean_log_probability
from funasr_cli.text.merge import spoken
from funasr_cli.transcript import Token

Look: TypeAlias = Callable[[Samples], Awaitable[Hypothesis]]
"""What is said in samples of a window, in its language."""

MAX_LOOKS = 4
"""Holes of a window that are run again, the longest of them: a window costs a bounded number of runs."""

MIN_SCORE = -1.0
"""Mean log-probability of the words of a hole that are believed. whisper-base gives pieces of real speech of 1.6 to
5 s about -0.5, and -3 to what it makes up for breath, laughter, music and noise."""

MIN_NOISY_SCORE, MAX_NO_SPEECH = -0.6, 0.6
"""… if the model itself takes it for likelier than the second of these that nothing was said."""

MIN_FILLED = 0.3
"""Share of a hole that its words fill at least, if no word counts for more than `MAX_WORD_S`."""

EDGE_S = 0.5
"""A word within these seconds of the edge of a hole that is the word next to the hole is that word, heard twice."""


async def fill_holes(window: Window, hypothesis: Hypothesis, padding: float, look: Look) -> Hypothesis:
    """The hypothesis with the words that were found where it had none; it loses none but those that were stretched.

    The speech in the window is `padding` seconds wider at both ends of each part than what was heard of a voice.
    """
    edges = [0.0, *(edge / SAMPLE_RATE for edge in accumulate(len(part) for part in window.parts))]
    tokens = list(hypothesis.tokens)
    holes = find_holes(tokens, list(pairwise(edges)), padding)
    if not tokens:  # the same again would give the same
        holes = [half for hole in holes for half in halves(*hole, edges[1:-1])]
    longest = sorted(holes, key=lambda hole: hole[0] - hole[1])[:MAX_LOOKS]
    for start, end in sorted(longest):
        found = await look(window.samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
        if is_convincing(found, end - start):
            tokens = filled(tokens, (start, end), [token.shifted(start) for token in found.tokens])
    return replace(hypothesis, tokens=tuple(tokens))


def is_convincing(found: Hypothesis, seconds: float) -> bool:
    """Whether what was found in a hole of so many seconds was said, and is not made up for a noise."""
    if not found.tokens or found.warning:
        return False
    least = MIN_NOISY_SCORE if found.no_speech > MAX_NO_SPEECH else MIN_SCORE
    lasting = sum(min(token.until - token.start, MAX_WORD_S) for token in found.tokens)
    return mean_log_probability(found.tokens) >= least and lasting >= MIN_FILLED * seconds


def filled(tokens: Sequence[Token], hole: Interval, found: Sequence[Token]) -> list[Token]:
    """`tokens` with those `found` in the hole in their place, but for what the words next to the hole have already.

    A stretched token within the hole goes if it was found again; else it stands at the end of the hole.
    """
    start, end = hole
    before = [token for token in tokens if token.start < start and not _hides(token, hole)]
    after = [token for token in tokens if token.start >= start and not _hides(token, hole)]
    again = {spoken(token) for token in found}
    left = [
        token.at(max(token.start, token.end - word_seconds(token)), token.end)
        for token in tokens
        if _hides(token, hole) and spoken(token) not in again
    ]
    inside = list(found)
    if before and inside and inside[0].end - start <= EDGE_S and spoken(inside[0]) == spoken(before[-1]):
        del inside[0]
    if after and inside and end - inside[-1].start <= EDGE_S and spoken(inside[-1]) == spoken(after[0]):
        del inside[-1]
    return [*before, *inside, *left, *after]


def _hides(token: Token, hole: Interval) -> bool:
    return is_stretched(token) and token.start < hole[1] and token.end > hole[0]
