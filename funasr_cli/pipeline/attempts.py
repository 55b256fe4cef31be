"""Which of two attempts at the same sound is kept."""

from __future__ import annotations

import math

from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.recognizers.words import MAX_WORD_S


def better(first: Hypothesis, second: Hypothesis) -> Hypothesis:
    """The one that accounts for more of the sound that both heard; if they are equal, the first.

    The second was told not to repeat itself, which ruins a repetition that was said.
    """
    until = min(math.inf if one.heard is None else one.heard for one in (first, second))
    return second if accounted_seconds(second, until) > accounted_seconds(first, until) else first


def accounted_seconds(hypothesis: Hypothesis, until: float = math.inf) -> float:
    """How many seconds more of the sound `until` then are under words that are right than under words that are wrong.

    That is what the probabilities of the words let expect. The words of a loop take no time, those that were forced
    into a text are improbable, and what was left out counts for nothing.
    """
    return sum(
        min(token.end - token.start, MAX_WORD_S, max(0.0, until - token.start)) * (2 * token.confidence - 1)
        for token in hypothesis.tokens
    )
