"""Stretches with a detected voice, but without words."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.pipeline.holes import (
    MAX_LISTED,
    MIN_HOLE_S,
    Interval,
    add_speech,
    find_holes,
    halves,
    hole_warnings,
    is_stretched,
    within,
)
from funasr_cli.transcript import Token

PADDING = 0.3


@st.composite
def spans(draw: st.DrawFn) -> list[Interval]:
    """Spans of speech, in order."""
    lengths = draw(st.lists(st.floats(0.1, 12.0), min_size=2, max_size=12))
    edges = list(accumulate(lengths))
    return list(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def words(draw: st.DrawFn) -> list[Token]:
    """Words anywhere, in order."""
    starts = sorted(draw(st.lists(st.floats(0.0, 80.0), max_size=20)))
    return [Token(" word", start, start + draw(st.floats(0.02, 5.0)), 0.9) for start in starts]


def said(start: float, end: float, text: str = " word") -> Token:
    return Token(text, start, end, 0.9)


@given(words(), spans())
def test_holes_are_in_order_within_the_speech_and_hold_no_word(tokens: list[Token], speech: list[Interval]) -> None:
    holes = find_holes(tokens, speech, PADDING)
    assert all(one[1] <= other[0] for one, other in pairwise(holes))
    for start, end in holes:
        assert end - start >= MIN_HOLE_S
        assert any(low <= start < high for low, high in speech)
        assert any(low < end <= high for low, high in speech)
        assert not any(start < token.middle < end for token in tokens if not is_stretched(token))


@given(words(), spans())
def test_words_added_to_a_hole_leave_no_more_of_it(tokens: list[Token], speech: list[Interval]) -> None:
    for start, end in find_holes(tokens, speech, PADDING):
        seconds = int(end - start) + 1
        filling = [said(start + at, min(end, start + at + 0.9)) for at in range(seconds)]
        assert not [
            hole for hole in find_holes([*tokens, *filling], speech, PADDING) if start <= hole[0] and hole[1] <= end
        ]


def test_speech_without_any_word_is_a_hole() -> None:
    assert find_holes([], [(1.0, 20.0)], PADDING) == [(1.0, 20.0)]
    assert find_holes([], [(1.0, 3.0)], PADDING) == []  # 1.4 s without the padding
    assert find_holes([], [], PADDING) == []


@pytest.mark.parametrize(
    ("tokens", "hole"),
    [
        pytest.param([said(4.0, 4.5), said(4.5, 9.8)], (4.5, 10.0), id="a long word at the end"),
        pytest.param([said(3.0, 3.5), said(3.5, 9.8)], None, id="hidden where nothing is left"),
        pytest.param([said(0.2, 4.2), *(said(at, at + 0.5) for at in range(5, 10))], (0.0, 5.0), id="at the beginning"),
        pytest.param([said(at, at + 0.9) for at in range(10)], None, id="no hole"),
        pytest.param([said(at, at + 0.9) for at in (0, 1, 2, 6, 7, 8, 9)], (2.9, 6.0), id="in the middle"),
    ],
)
def test_a_word_that_is_far_too_long_hides_a_hole(tokens: list[Token], hole: Interval | None) -> None:
    found = find_holes(tokens, [(0.0, 10.0)], PADDING)
    if hole is None:
        assert [one for one in found if one[1] < 3.0 or one[0] > 9.0] == []
    else:
        assert hole in found


def test_a_pause_is_not_a_hole_nor_is_the_end_of_a_word_that_the_model_does_not_mark() -> None:
    tokens = [said(0.2, 1.0), said(9.0, 9.8)]
    assert find_holes(tokens, [(0.0, 1.3), (8.7, 10.0)], PADDING) == []
    ends_late = [Token("好", 0.2, 0.5, 0.9, tail=0.3), said(2.5, 3.0, "好")]
    assert find_holes(ends_late, [(0.0, 3.0)], PADDING) == [(0.8, 2.5)]
    assert find_holes([Token("好", 0.2, 0.5, 0.9, tail=0.6), ends_late[1]], [(0.0, 3.0)], PADDING) == []


@given(spans(), st.floats(0, 80), st.floats(0, 20))
def test_the_speech_within_a_stretch_is_what_lies_in_both(speech: list[Interval], start: float, length: float) -> None:
    found = within(start, start + length, speech)
    expected = [(max(low, start), min(high, start + length)) for low, high in speech]
    assert found == [(low, high) for low, high in expected if low < high]


def test_a_stretch_is_halved_at_the_pause_nearest_to_its_middle() -> None:
    assert halves(0.0, 20.0, []) == [(0.0, 10.0), (10.0, 20.0)]
    assert halves(0.0, 20.0, [1.0, 8.0, 13.0]) == [(0.0, 8.0), (8.0, 20.0)]
    assert halves(0.0, 20.0, [1.0, 19.0]) == [(0.0, 10.0), (10.0, 20.0)]


def test_windows_that_overlap_are_one_span_of_speech() -> None:
    speech: list[Interval] = []
    for window in ([(0.0, 4.0), (5.0, 30.0)], [(28.0, 58.0)], [(58.0, 60.0), (61.0, 62.0)]):
        add_speech(speech, window)
    assert speech == [(0.0, 4.0), (5.0, 58.0), (58.0, 60.0), (61.0, 62.0)]


def test_each_hole_is_reported_with_its_place_up_to_a_number() -> None:
    holes = [(10.0 * at, 10.0 * at + 2.0) for at in range(MAX_LISTED + 5)]
    warnings = hole_warnings(holes)
    assert warnings[1].startswith("10.0–12.0 s: a voice was detected, but no words were recognised")
    assert len(warnings) == MAX_LISTED + 1
    assert warnings[-1].startswith("after 200.0 s: 5 more places, 10 s in all: ")
    assert hole_warnings([]) == []
