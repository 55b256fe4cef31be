"""Overlapping windows become one text: nothing doubled, nothing dropped at the seam."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.merge import Merger, merge
from funasr_cli.transcript import Token


def tokens(*words: tuple[str, float]) -> list[Token]:
    return [Token(text, start, start + 0.2, 0.9) for text, start in words]


def text(merged: list[Token]) -> str:
    return "".join(token.text for token in merged)


def test_windows_that_do_not_overlap_are_joined_as_they_are() -> None:
    assert text(merge(tokens(("新", 1.0)), tokens(("新", 1.0)), start=3.0, end=2.0)) == "新新"


def test_the_common_run_is_taken_once() -> None:
    left = tokens(("发", 12.0), ("展", 12.3), ("新", 13.3), ("格", 13.6), ("局", 13.9), ("嗯", 14.7))
    right = tokens(("啊", 13.05), ("新", 13.35), ("格", 13.6), ("局", 13.95), ("和", 14.6), ("平", 15.1))
    assert text(merge(left, right, start=13.0, end=15.0)) == "发展新格局和平"


def test_the_same_word_at_another_time_is_another_word() -> None:
    left = tokens(("好", 13.2), ("好", 13.8), ("好", 14.4))
    right = tokens(("好", 13.2), ("好", 13.8), ("好", 14.4), ("好", 15.2))
    assert text(merge(left, right, start=13.0, end=15.0)) == "好好好好"


def test_case_spaces_and_punctuation_do_not_hide_agreement() -> None:
    left = tokens((" the", 12.5), (" budget,", 13.4), (" Which", 14.0), (" wa", 14.8))
    right = tokens((" Budget", 13.4), (" which", 14.0), (" was", 14.7), (" approved.", 15.2))
    merged = text(merge(left, right, start=13.0, end=15.0))
    assert merged.casefold().replace(",", "") == " the budget which was approved."


def test_without_agreement_the_seam_is_where_neither_speaks() -> None:
    left = tokens(("甲", 13.1), ("乙", 13.5), ("丙", 14.5))
    right = tokens(("丁", 13.2), ("戊", 13.6), ("己", 14.55))
    assert text(merge(left, right, start=13.0, end=15.0)) == "甲乙己"


def test_a_word_that_only_one_window_heard_stays_on_its_side() -> None:
    left = tokens(("甲", 13.2), ("乙", 13.9), ("丙", 14.4))
    right = tokens(("乙", 13.9), ("丙", 14.4), ("丁", 14.8))
    assert text(merge(left, right, start=13.0, end=15.0)) == "甲乙丙丁"


ALPHABET = "天地玄黄宇宙洪荒日月盈昃辰宿列张"


@given(seed=st.integers(0, 10_000), jitter=st.floats(0, 0.06))
def test_windows_over_any_speech_give_that_speech_back(seed: int, jitter: float) -> None:
    """Windows of 15 s with 2 s of overlap over a minute of words, each window with its own small errors in time."""
    rnd = random.Random(seed)
    spoken, at = [], 0.0
    while at < 60:
        spoken.append((rnd.choice(ALPHABET), at))
        at += rnd.uniform(0.15, 0.5)
    merger = Merger()
    for start in range(0, 60, 13):
        end = start + 15
        heard = [(word, t + rnd.uniform(-jitter, jitter)) for word, t in spoken if start <= t and t + 0.2 <= end]
        merger.add(tokens(*heard), start, end)
    assert text(merger.tokens) == "".join(word for word, _ in spoken)


@given(seed=st.integers(0, 10_000))
def test_misheard_words_at_the_edges_do_not_reach_the_text(seed: int) -> None:
    rnd = random.Random(seed)
    spoken = [(rnd.choice(ALPHABET), 0.25 * i) for i in range(100)]
    merger = Merger()
    for start in (0.0, 11.0):
        end = start + 14.0
        heard = [(word, t) for word, t in spoken if start <= t and t + 0.2 <= end]
        if start:
            heard[0] = ("?", heard[0][1])
        if end < 25:
            heard[-1] = ("?", heard[-1][1])
        merger.add(tokens(*heard), start, end)
    assert text(merger.tokens) == "".join(word for word, _ in spoken)


@pytest.mark.parametrize("empty", ["left", "right"])
def test_what_only_one_window_heard_is_kept_where_the_other_heard_nothing(empty: str) -> None:
    words = tokens(("甲", 13.2), ("乙", 14.6))
    left, right = ([], words) if empty == "left" else (words, [])
    assert text(merge(left, right, start=13.0, end=15.0)) == "甲乙"
