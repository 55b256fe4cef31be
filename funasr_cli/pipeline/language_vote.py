"""One language for all windows of a recording, unless it was named: its first windows vote."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from itertools import islice

from funasr_cli.audio.windows import Window
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.window_runner import WindowRunner
from funasr_cli.recognizers.base import Hypothesis

logger = logging.getLogger(__name__)

VOTING_WINDOWS = 4
"""How many of the first windows decide together: two minutes of speech at 30-s windows."""


async def recognize_in_one_language(
    runner: WindowRunner, windows: Iterator[Window], language: str | None, timings: StageTimings
) -> AsyncGenerator[tuple[Window, Hypothesis], None]:
    """Each window with what was understood in it, in order, all in one language.

    If `language` is None, each of the first windows is recognised in the language that it seems to be in; they vote,
    and those that stood apart are recognised again in the language of the others.
    """
    while language is None:
        voters = [pair async for pair in runner.recognize_all(islice(windows, VOTING_WINDOWS), None, timings)]
        if not voters:
            return
        language = _elected(hypothesis for _, hypothesis in voters)
        logger.debug("language %s, by the vote of %d windows", language, len(voters))
        for window, hypothesis in voters:
            if hypothesis.language != language is not None:
                hypothesis = await runner.recognize(window, language, timings)
            yield window, hypothesis
    async with aclosing(runner.recognize_all(windows, language, timings)) as rest:
        async for pair in rest:
            yield pair


def _elected(hypotheses: Iterable[Hypothesis]) -> str | None:
    """The language with the largest sum of probabilities over the windows in which something was said."""
    votes: dict[str, float] = {}
    for hypothesis in hypotheses:
        if hypothesis.tokens:
            for code, probability in hypothesis.languages.items():
                votes[code] = votes.get(code, 0.0) + probability
    return max(votes, key=votes.__getitem__, default=None)
