"""Runs speech for which a window has no words again, on its own."""

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
"""Recognises samples of a window, in the language of the window."""

MAX_LOOKS = 4
"""Holes of a window that are run again, longest first; this bounds the number of runs for a window."""

MIN_SCORE = -1.0
"""Minimum mean log-probability for the words of a hole to be accepted. whisper-base gives about -0.5 to real speech of
1.6 to 5 s, and -3 to words that it makes up for breath, laughter, music and noise."""

MIN_NOISY_SCORE, MAX_NO_SPEECH = -0.6, 0.6
"""`MIN_NOISY_SCORE` applies instead if the model's own probability that nothing was said exceeds `MAX_NO_SPEECH`."""

MIN_FILLED = 0.3
"""Minimum share of a hole that its words must fill; no word counts for more than `MAX_WORD_S`."""

EDGE_S = 0.5
"""Seconds from the edge of a hole within which a word equal to the word next to the hole is that word, heard twice."""


async def fill_holes(window: Window, hypothesis: Hypothesis, padding: float, look: Look) -> Hypothesis:
    """Add words found in the holes of a hypothesis; only stretched tokens may be dropped for them.

    Each part of the window extends `padding` seconds beyond the detected voice at both ends.
    """
    edges = [0.0, *(edge / SAMPLE_RATE for edge in accumulate(len(part) for part in window.parts))]
    tokens = list(hypothesis.tokens)
    holes = find_holes(tokens, list(pairwise(edges)), padding)
    if not tokens:  # running the same samples again would give the same result
        holes = [half for hole in holes for half in halves(*hole, edges[1:-1])]
    longest = sorted(holes, key=lambda hole: hole[0] - hole[1])[:MAX_LOOKS]
    for start, end in sorted(longest):
        found = await look(window.samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
        if is_convincing(found, end - start):
            tokens = filled(tokens, (start, end), [token.shifted(start) for token in found.tokens])
    return replace(hypothesis, tokens=tuple(tokens))


def is_convincing(found: Hypothesis, seconds: float) -> bool:
    """Whether the words found in a hole of `seconds` were really said, and not made up for noise."""
    if not found.tokens or found.warning:
        return False
    least = MIN_NOISY_SCORE if found.no_speech > MAX_NO_SPEECH else MIN_SCORE
    lasting = sum(min(token.until - token.start, MAX_WORD_S) for token in found.tokens)
    return mean_log_probability(found.tokens) >= least and lasting >= MIN_FILLED * seconds


def filled(tokens: Sequence[Token], hole: Interval, found: Sequence[Token]) -> list[Token]:
    """Insert the tokens `found` in a hole, except repetitions of the words next to the hole.

    A stretched token within the hole is dropped if it was found again; otherwise it moves to the end of the hole.
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
