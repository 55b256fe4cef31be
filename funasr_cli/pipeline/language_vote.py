"""The language of each window: it follows the recording, but not every doubt.

Each window says how likely each language is. To change costs, so in the cheapest sequence of languages (Viterbi's) for
a few windows at a time the language changes if several windows agree, or one is long and sure.
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
"""How many windows decide on the language of the first of them: two minutes of speech at 30-s windows."""

CHANGE_COST = 3.0
"""What a change of language costs: the negative natural logarithm of its probability."""

MIN_PROBABILITY = 0.001
"""No language is less likely than this, or one window could decide against all others."""

FULL_VOTE_S = 10.0
"""Seconds of speech from which a window's vote counts in full; in a shorter one the language is often mistaken."""


@dataclass(frozen=True, slots=True)
class Vote:
    """How likely each language is in a window, and how much that counts, 0 to 1."""

    languages: Mapping[str, float]
    weight: float

    @classmethod
    def of(cls, window: Window, hypothesis: Hypothesis) -> Vote:
        """None, as it were, of a window in which nothing was said."""
        seconds = len(window.samples) / SAMPLE_RATE if hypothesis.tokens else 0.0
        return cls(hypothesis.languages, min(1.0, seconds / FULL_VOTE_S))

    def cost(self, language: str) -> float:
        """Of taking the window for one in `language`."""
        probability = self.languages.get(language, 1.0 - sum(self.languages.values())) if self.languages else 1.0
        return -self.weight * math.log(max(probability, MIN_PROBABILITY))


async def recognize_in_spoken_language(
    runner: WindowRunner,
    windows: Iterator[Window],
    language: str | None,
    timings: StageTimings,
    done: Callable[[Window], object] = lambda _: None,
) -> AsyncGenerator[tuple[Window, Hypothesis], None]:
    """Each window with what was understood in it, in order, in the language that is spoken there, or in `language`.

    If that is None, each window is recognised in the language that it seems to be in, and again if the votes of its
    neighbours are for another. `done` is told of each as soon as it was recognised.
    """
    waiting: deque[tuple[Window, Hypothesis]] = deque()
    current: str | None = None

    async def settled() -> tuple[Window, Hypothesis]:
        nonlocal current
        current = elect([Vote.of(*pair) for pair in waiting], current)
        window, hypothesis = waiting.popleft()
        if hypothesis.language != current is not None:
            logger.debug("%s at %.1f s is taken for %s", hypothesis.language, window.bounds.seconds[0], current)
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
    """The language of the first of several windows; `before` is that of the window before it.

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
