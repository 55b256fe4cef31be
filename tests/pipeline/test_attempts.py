"""Of two attempts, the one that explains more of the sound is kept."""

from __future__ import annotations

from funasr_cli.pipeline.attempts import better
from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.transcript import Token


def attempt(*words: tuple[float, float], heard: float | None = None) -> Hypothesis:
    """Return words that follow each other, given their durations and probabilities."""
    tokens, at = [], 0.0
    for seconds, confidence in words:
        tokens.append(Token(" no", at, at + seconds, confidence))
        at += seconds
    return Hypothesis(tuple(tokens), "en", heard=heard)


def test_a_repetition_that_was_said_is_better_than_what_was_forced_into_its_place() -> None:
    said = attempt(*[(0.4, 0.97)] * 30)
    forced = attempt(*[(0.4, 0.97)] * 15, *[(0.4, 0.3)] * 15)
    assert better(said, forced) is said


def test_a_text_that_fills_the_sound_is_better_than_one_with_words_that_take_no_time() -> None:
    crowded = attempt(*[(0.4, 0.9)] * 5, *[(0.02, 0.9)] * 50, (8.0, 0.9))
    full = attempt(*[(0.4, 0.8)] * 25)
    assert better(crowded, full) is full


def test_only_what_both_heard_is_compared() -> None:
    """What the first attempt had not heard yet runs again, without the handicap of the second."""
    first = attempt(*[(0.4, 0.97)] * 15, heard=6.0)
    second = attempt(*[(0.4, 0.75)] * 30)
    assert better(first, second) is first


def test_of_equals_the_first_is_kept() -> None:
    first, second = attempt((0.4, 0.9)), attempt((0.4, 0.9))
    assert better(first, second) is first
    assert better(attempt(), second) is second
