"""Holes are run again alone, and what is found there is only believed if it was said."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.windows import Bounds, Window
from funasr_cli.pipeline.holes import is_stretched
from funasr_cli.pipeline.second_look import MAX_LOOKS, fill_holes, filled, is_convincing
from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.transcript import Token, join

PADDING = 0.3


def words(text: str, start: float, seconds: float = 0.4, confidence: float = 0.9) -> list[Token]:
    return [
        Token(f" {word}", start + seconds * at, start + seconds * (at + 1), confidence)
        for at, word in enumerate(text.split())
    ]


def window(*parts: float) -> Window:
    """Return a window of parts with these durations in seconds; its samples are numbered."""
    bounds, at = [], 0
    for seconds in parts:
        bounds.append(Bounds(at, at + round(seconds * SAMPLE_RATE)))
        at += round((seconds + 1.0) * SAMPLE_RATE)
    return Window(np.arange(sum(map(len, bounds)), dtype=np.float32), tuple(bounds))


def fill(heard: Window, tokens: list[Token], *found: Hypothesis) -> tuple[str, list[tuple[float, float]]]:
    """Return the text after the second look, and the seconds of the window that ran again."""
    looked: list[tuple[float, float]] = []
    answers = list(found)

    async def look(samples: Samples) -> Hypothesis:
        looked.append((round(samples[0] / SAMPLE_RATE, 2), round((samples[-1] + 1) / SAMPLE_RATE, 2)))
        return answers.pop(0) if answers else Hypothesis((), "en")

    result = asyncio.run(fill_holes(heard, Hypothesis(tuple(tokens), "en"), PADDING, look))
    assert [token.start for token in result.tokens] == sorted(token.start for token in result.tokens)
    return join(result.tokens), looked


def test_a_text_without_holes_is_run_once() -> None:
    assert fill(window(4.0), words("one two three four five six seven eight nine ten", 0.0)) == (
        "one two three four five six seven eight nine ten",
        [],
    )


def test_a_hole_is_run_by_itself_and_filled() -> None:
    tokens = [*words("one two", 0.0), *words("nine ten", 9.2)]
    found = Hypothesis(tuple(words("three four five six seven eight", 0.5, 1.0)), "en")
    assert fill(window(10.0), tokens, found) == ("one two three four five six seven eight nine ten", [(0.8, 9.2)])


def test_a_clause_that_is_missing_under_one_long_word_is_found() -> None:
    tokens = [Token(" report", 0.0, 2.9, 0.9), *words("is late this year", 2.9)]
    found = Hypothesis(tuple(words("the annual energy report", 0.2, 0.6)), "en")
    assert fill(window(4.6), tokens, found) == ("the annual energy report is late this year", [(0.0, 2.9)])


def test_a_long_word_that_is_not_found_again_stays() -> None:
    tokens = [Token(" report", 0.0, 2.9, 0.9), *words("is late this year", 2.9)]
    found = Hypothesis(tuple(words("the annual energy", 0.2, 0.6)), "en")
    assert fill(window(4.6), tokens, found)[0] == "the annual energy report is late this year"


def test_a_window_without_text_is_run_in_two_parts() -> None:
    found = Hypothesis(tuple(words("this is the second part of what was said", 0.3, 0.8)), "en")
    text, looked = fill(window(9.0, 10.0), [], Hypothesis((), "en"), found)
    assert text == "this is the second part of what was said"
    assert looked == [(0.0, 9.0), (9.0, 19.0)]


def test_a_window_leads_to_a_bounded_number_of_runs_over_its_longest_holes() -> None:
    tokens = [token for at in range(8) for token in words("word", 3.5 * at)]
    _, looked = fill(window(30.0), tokens)
    assert len(looked) == MAX_LOOKS
    assert looked == sorted(looked)
    assert looked[-1] == (24.9, 30.0)  # the longest


@pytest.mark.parametrize(
    ("found", "convincing"),
    [
        pytest.param(Hypothesis(tuple(words("a few clear words", 0.2)), "en"), True, id="clear"),
        pytest.param(Hypothesis(tuple(words("a few clear words", 0.2)), "en", no_speech=0.8), True, id="sure"),
        pytest.param(Hypothesis(tuple(words("some doubtful words", 0.2, 0.4, 0.45)), "en"), True, id="doubtful"),
        pytest.param(
            Hypothesis(tuple(words("some doubtful words", 0.2, 0.4, 0.45)), "en", no_speech=0.8), False, id="noise"
        ),
        pytest.param(Hypothesis(tuple(words("Thank you", 0.2, 0.4, 0.05)), "en"), False, id="made up"),
        pytest.param(Hypothesis(tuple(words("You", 0.2)), "en"), False, id="too little"),
        pytest.param(Hypothesis(tuple(words("so so so so", 0.2)), "en", warning="it repeats"), False, id="repetitive"),
        pytest.param(Hypothesis((), "en"), False, id="nothing"),
    ],
)
def test_only_what_was_said_is_believed(found: Hypothesis, convincing: bool) -> None:
    assert is_convincing(found, 3.0) == convincing
    tokens = [*words("one two", 0.0), *words("nine ten", 3.8)]
    assert (fill(window(4.6), tokens, found)[0] != "one two nine ten") == convincing


def test_a_word_at_the_edge_that_is_heard_twice_is_written_once() -> None:
    tokens = [*words("before it", 0.0), *words("After all", 5.0)]
    found = [*words("it", 0.9, 0.2), *words("and the dreams", 2.0), *words("after", 4.8, 0.2)]
    assert join(filled(tokens, (0.8, 5.0), found)) == "before it and the dreams After all"
    within_hole = [*words("it", 2.0), *words("and the dreams", 2.5)]
    assert join(filled(tokens, (0.8, 5.0), within_hole)) == "before it it and the dreams After all"


@given(
    st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(0.02, 4.0)), max_size=12),
    st.lists(st.floats(0.1, 0.8), min_size=1, max_size=10),
    st.floats(0.0, 15.0),
)
def test_no_word_is_lost_but_one_that_was_stretched(
    spaced: list[tuple[float, float]], found: list[float], start: float
) -> None:
    tokens, at = [], 0.0
    for number, (pause, seconds) in enumerate(spaced):
        tokens.append(Token(f" w{number}", at + pause, at + pause + seconds, 0.9))
        at += pause + seconds
    starts = [start + sum(found[:number]) for number in range(len(found))]
    inside = [Token(f" f{number}", at, at + 0.1, 0.9) for number, at in enumerate(starts)]
    hole = (start, start + sum(found))
    result = filled(tokens, hole, inside)
    assert {token.text for token in result} == {token.text for token in [*tokens, *inside]}
    kept = [token for token in result if token in tokens and not is_stretched(token)]
    assert all(one.start <= other.start for one, other in pairwise(kept))
