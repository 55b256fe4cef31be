"""Chooses between two attempts at the same sound."""

from __future__ import annotations

import math

from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.recognizers.words import MAX_WORD_S


def better(first: Hypothesis, second: Hypothesis) -> Hypothesis:
    """The hypothesis that accounts for more of the sound that both heard; the first if they are equal.

    The second attempt was decoded with repetition suppressed, which damages repetitions that were really spoken.
    """
    until = min(math.inf if one.heard is None else one.heard for one in (first, second))
    return second if accounted_seconds(second, until) > accounted_seconds(first, until) else first


def accounted_seconds(hypothesis: Hypothesis, until: float = math.inf) -> float:
    """Expected seconds under correct words minus seconds under wrong words, in the sound before `until` seconds.

    The expectation follows from the confidences of the words. Words of a loop take up no time, words forced into the
    text are improbable, and omitted words count as zero.
    """
    return sum(
        min(token.end - token.start, MAX_WORD_S, max(0.0, until - token.start)) * (2 * token.confidence - 1)
        for token in hypothesis.tokens
    )
