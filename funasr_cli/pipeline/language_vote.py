"""The language of each window: it follows the recording, but ignores isolated doubts.

Each window gives a probability for each language, and each change of language has a cost. For a few windows at a time
the cheapest sequence of languages is chosen (Viterbi), so the language changes only if several windows agree, or if
one is long and confident.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.audio.windows import Window
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.window_runner import WindowRunner
from funasr_cli.recognizers.base import Hypothesis

logger = logging.getLogger(__name__)

VOTING_WINDOWS = 4
"""Windows that vote on the language of the first of them: two minutes of speech with 30-s windows."""

CHANGE_COST = 3.0
"""Cost of a change of language: the negative natural logarithm of its probability."""

MIN_PROBABILITY = 0.001
"""Lower limit for the probability of a language, so that one window cannot outvote all others."""

FULL_VOTE_S = 10.0
"""Seconds of speech from which a window's vote has full weight; in shorter windows the language is often wrong."""


@dataclass(frozen=True, slots=True)
class Vote:
    """The probability of each language in a window, and the weight of the vote, 0 to 1."""

    languages: Mapping[str, float]
    weight: float

    @classmethod
    def of(cls, window: Window, hypothesis: Hypothesis) -> Vote:
        """The vote of a window; its weight is 0 if nothing was said."""
        seconds = len(window.samples) / SAMPLE_RATE if hypothesis.tokens else 0.0
        return cls(hypothesis.languages, min(1.0, seconds / FULL_VOTE_S))

    def cost(self, language: str) -> float:
        """Cost of assigning `language` to the window."""
        probability = self.languages.get(language, 1.0 - sum(self.languages.values())) if self.languages else 1.0
        return -self.weight * math.log(max(probability, MIN_PROBABILITY))


async def recognize_in_spoken_language(
    runner: WindowRunner,
    windows: Iterator[Window],
    language: str | None,
    timings: StageTimings,
    done: Callable[[Window], object] = lambda _: None,
) -> AsyncGenerator[tuple[Window, Hypothesis], None]:
    """Yield each window with its hypothesis, in order, recognised in `language` or else in the language spoken there.

    If `language` is None, each window is recognised in the language detected in it, and once more if the votes of its
    neighbours favour another. `done` is called with each window as soon as it has been recognised.
    """
    waiting: deque[tuple[Window, Hypothesis]] = deque()
    current: str | None = None

    async def settled() -> tuple[Window, Hypothesis]:
        nonlocal current
        current = elect([Vote.of(*pair) for pair in waiting], current)
        window, hypothesis = waiting.popleft()
        if hypothesis.language != current is not None:
            logger.debug("%s at %.1f s becomes %s by vote", hypothesis.language, window.bounds.seconds[0], current)
            timings.extra_runs["language"] += 1
            hypothesis = await runner.recognize(window, current, timings)
        return window, hypothesis

    async with aclosing(runner.recognize_all(windows, language, timings, done)) as recognized:
        async for pair in recognized:
            if language is not None:
                yield pair
                continue
            waiting.append(pair)
            if len(waiting) == VOTING_WINDOWS:
                yield await settled()
    while waiting:
        yield await settled()


def elect(votes: Sequence[Vote], before: str | None) -> str | None:
    """Elect the language of the first of several windows; `before` is the language of the preceding window.

    None if no window has a language.
    """
    voted = [max(vote.languages, key=vote.languages.__getitem__) for vote in votes if vote.languages and vote.weight]
    candidates = dict.fromkeys(code for code in [before, *voted] if code is not None)
    if not candidates:
        return None
    paths = {code: (CHANGE_COST * (code != before is not None), code) for code in candidates}  # cost, first language
    for at, vote in enumerate(votes):
        if at:
            cost, first = min(paths.values(), key=lambda path: path[0])
            paths = {code: min(path, (cost + CHANGE_COST, first), key=lambda it: it[0]) for code, path in paths.items()}
        paths = {code: (cost + vote.cost(code), first) for code, (cost, first) in paths.items()}
    return min(paths.values(), key=lambda path: path[0])[1]
