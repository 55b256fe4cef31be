"""The context graph: what hotwords earn, and that nothing is left of what was not completed."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.decoding.context import ADVANCE, START, ContextGraph, Spelling, bonus
from tests.support.exact_search import earned

TOKENS = st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple)
HOTWORDS = st.dictionaries(TOKENS, st.sampled_from([0.5, 1.0, 3.0]), max_size=6)
TEXTS = st.lists(st.integers(1, 3), max_size=12)


def graph(*words: Sequence[int]) -> ContextGraph:
    return ContextGraph(map(Spelling, words))


def gain(context: ContextGraph, text: Sequence[int]) -> float:
    """What `text` is given, in nats: step by step, and what is due at its end."""
    state, nats = START, 0.0
    for token in text:
        nats += math.log(context.refund[state])
        state = context.step(state, token)
        nats += math.log(context.worth[state])
    return nats + math.log(context.refund[state])


@given(HOTWORDS, TEXTS)
def test_a_text_is_given_what_the_complete_hotwords_in_it_earn_and_nothing_else(
    hotwords: dict[tuple[int, ...], float], text: list[int]
) -> None:
    context = ContextGraph(Spelling(*item) for item in hotwords.items())
    assert gain(context, text) == pytest.approx(earned(text, hotwords), abs=1e-9)


def test_a_match_that_breaks_or_ends_early_keeps_nothing() -> None:
    context = graph((1, 2, 3, 4))
    assert context.worth[context.step(START, 1)] > 1
    assert gain(context, [1, 2, 3, 5]) == pytest.approx(0)
    assert gain(context, [1, 2, 3]) == pytest.approx(0)


def test_a_match_that_breaks_goes_on_as_another_that_began_inside_it() -> None:
    assert gain(graph((1, 2, 3, 4), (2, 3, 5)), [1, 2, 3, 5]) == pytest.approx(bonus(3, 1))


def test_overlapping_hotwords_both_count_and_so_does_each_repetition() -> None:
    assert gain(graph((1, 2, 3), (3, 4)), [1, 2, 3, 4]) == pytest.approx(bonus(3, 1) + bonus(2, 1))
    assert gain(graph((1, 2)), [1, 2, 1, 2, 3, 1, 2]) == pytest.approx(3 * bonus(2, 1))


@pytest.mark.parametrize("inside", [(1, 2), (2, 3), (3, 4), (2,)])
def test_a_hotword_inside_another_adds_nothing_to_it_and_counts_alone(inside: tuple[int, ...]) -> None:
    context = graph((1, 2, 3, 4), inside)
    assert gain(context, [1, 2, 3, 4]) == pytest.approx(bonus(4, 1))
    assert gain(context, [5, *inside, 5]) == pytest.approx(bonus(len(inside), 1))


def test_a_hotword_is_worth_no_less_than_those_inside_it() -> None:
    heavy = ContextGraph([Spelling((1, 2, 3)), Spelling((1, 2), 10.0)])
    assert gain(heavy, [1, 2, 3]) == pytest.approx(bonus(2, 10.0))


def test_of_equal_hotwords_the_heavier_counts() -> None:
    assert gain(ContextGraph([Spelling((1, 2), 2.0), Spelling((1, 2), 1.0)]), [1, 2]) == pytest.approx(bonus(2, 2.0))


def test_longer_hotwords_earn_more_and_weight_is_a_factor_up_to_a_bound() -> None:
    assert 0 < bonus(1, 1) < bonus(2, 1) < bonus(3, 1)
    assert bonus(3, 2.5) == pytest.approx(2.5 * bonus(3, 1))
    assert bonus(50, 100) < 100


def test_a_match_is_advanced_more_with_each_token_but_no_more_than_the_bound() -> None:
    context = ContextGraph([Spelling(range(1, 9), 100.0)])
    assert context.refund[1] == pytest.approx(math.exp(-ADVANCE))
    context = ContextGraph([Spelling((1, 2, 3), 0.5)])
    assert 1 > context.refund[1] > context.refund[2] > context.refund[3] * math.exp(-ADVANCE)


def test_what_is_advanced_is_the_part_matched_of_the_hotword_worth_most_a_token() -> None:
    """Of 4.5 nats for 1 2 (weight 3), 3 for 1 5 6, and 6 for 7 8 9 10 11."""
    context = ContextGraph([Spelling((1, 2), 3.0), Spelling((1, 5, 6)), Spelling((7, 8, 9, 10, 11))])
    assert advanced(context, 1) == pytest.approx([4.5 / 2])
    assert advanced(context, 1, 2) == pytest.approx([4.5 / 2, 0])
    assert advanced(context, 1, 5, 6) == pytest.approx([4.5 / 2, 2.0, 0])
    assert advanced(context, 7, 8, 9, 10, 11) == pytest.approx([1.2, 2.4, ADVANCE, ADVANCE, 0])


def test_what_is_advanced_inside_another_match_goes_on() -> None:
    context = graph((1, 2, 3), (2, 3, 4, 5, 6))
    assert advanced(context, 1, 2, 3) == pytest.approx([1, 2, 2.4])
    assert advanced(context, 2, 3, 4) == pytest.approx([1.2, 2.4, ADVANCE])


def advanced(context: ContextGraph, *text: int) -> list[float]:
    """What is advanced after each token, in nats."""
    states = [functools.reduce(context.step, text[:count], START) for count in range(1, len(text) + 1)]
    return [-math.log(context.refund[state]) for state in states]


def test_a_bonus_is_so_many_nats() -> None:
    assert [bonus(1, 1), bonus(2, 1), bonus(3, 1), bonus(3, 2)] == [1.0, 1.5, 3.0, 6.0]
    assert bonus(3, 1000) == bonus(100, 1) == 50.0


def test_matches_are_told_by_their_places_the_longest_of_those_that_end_together() -> None:
    context = graph((1, 2), (2,), (2, 3, 4), (3, 1, 2))
    assert list(context.matches([1, 2, 3, 1, 2, 5, 2, 3, 4])) == [(0, 1), (2, 4), (6, 6), (6, 8)]
    assert list(context.matches([1, 3])) == []
    assert list(graph((1, 2, 3), (2,)).matches([1, 2])) == [(1, 1)]


def test_a_complete_match_is_advanced_for_another_that_has_begun_in_it() -> None:
    context = graph((1, 2), (2, 3, 4))
    assert context.refund[context.step(context.step(START, 1), 2)] == context.refund[context.step(START, 2)] < 1


def test_no_hotwords_are_no_context() -> None:
    assert gain(graph(), [1, 2]) == 0


@pytest.mark.parametrize(
    "spelling",
    [
        Spelling(()),
        Spelling((3, 0)),
        Spelling((0,)),
        *(Spelling((1,), weight) for weight in (0, -1, math.nan, math.inf)),
    ],
)
def test_what_cannot_be_a_hotword_is_refused(spelling: Spelling) -> None:
    with pytest.raises(ValueError, match="not a hotword"):
        ContextGraph([spelling])
