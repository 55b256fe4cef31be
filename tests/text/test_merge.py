"""Overlapping windows become one text: nothing doubled, nothing dropped at the seam."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.merge import Merger, merge, spoken
from funasr_cli.transcript import Token


def tokens(*words: tuple[str, float]) -> list[Token]:
    return [Token(text, start, start + 0.2, 0.9) for text, start in words]


def text(merged: list[Token]) -> str:
    return "".join(token.text for token in merged)


def said(letters: str, *middles: float) -> list[Token]:
    return [Token(letter, at - 0.125, at + 0.125, 0.9) for letter, at in zip(letters, middles, strict=True)]


@pytest.mark.parametrize("start", [2.0, 3.0])
def test_windows_that_do_not_overlap_are_joined_as_they_are(start: float) -> None:
    assert text(merge(said("新", 2.125), said("新", start - 0.125), start=start, end=2.0)) == "新新"


def test_the_common_run_is_taken_once() -> None:
    left = tokens(("发", 12.0), ("展", 12.3), ("新", 13.3), ("格", 13.6), ("局", 13.9), ("嗯", 14.7))
    right = tokens(("啊", 13.05), ("新", 13.35), ("格", 13.6), ("局", 13.95), ("和", 14.6), ("平", 15.1))
    assert text(merge(left, right, start=13.0, end=15.0)) == "发展新格局和平"


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        pytest.param(
            said("xabcd", 13.0, 13.25, 13.625, 14.125, 14.75),
            said("ABCDY", 13.25, 13.625, 14.125, 14.75, 15.25),
            "xabCDY",
            id="the word nearest to the middle",
        ),
        pytest.param(
            said("azcd", 14.0, 14.25, 14.5, 14.75),
            said("AYCDE", 14.0, 14.25, 14.5, 14.75, 15.25),
            "azCDE",
            id="the longest run, though another is nearer",
        ),
        pytest.param(
            said("cdza", 13.25, 13.5, 13.75, 14.0), said("CDYA", 13.25, 13.5, 13.75, 14.0), "cDYA", id="and an earlier"
        ),
        pytest.param(said("azb", 13.25, 13.75, 14.25), said("AYB", 13.25, 13.75, 14.25), "azB", id="of two the nearer"),
        pytest.param(said("azb", 13.75, 14.25, 14.75), said("AYB", 13.75, 14.25, 14.75), "AYB", id="and an earlier"),
        pytest.param(said("azb", 13.5, 14.0, 14.5), said("AYB", 13.5, 14.0, 14.5), "AYB", id="as near: the earlier"),
        pytest.param(
            said("zab", 14.0, 14.5, 14.75),
            said("YAB", 14.0, 14.5, 14.75),
            "zAB",
            id="what is before the run is not in it",
        ),
        pytest.param(said("az", 13.75, 14.75), said("YA", 13.25, 13.75), "A", id="at another place"),
        pytest.param(said("a", 13.5), said("A", 14.0), "A", id="half a second apart"),
        pytest.param(said("a", 14.0), said("A", 13.5), "A", id="half a second apart, the other way"),
        pytest.param(
            said("az", 12.5, 13.5), said("AYB", 13.0, 13.5, 14.0), "AYB", id="half a second before the window"
        ),
        pytest.param(said("a", 13.5), said("A", 14.25), "aA", id="too far apart to be the same"),
        pytest.param(said("a,", 14.25, 14.5), said("X,", 14.25, 14.5), "X,", id="nobody says a comma"),
        pytest.param(said("a", 13.0), said("A", 13.125), "A", id="where the overlap begins"),
        pytest.param(said("a", 14.75), said("A", 15.0), "aA", id="where it is over"),
    ],
)
def test_the_seam_is_in_the_middle_of_the_longest_run_that_both_heard(
    left: list[Token], right: list[Token], merged: str
) -> None:
    """What the window before heard is in small letters."""
    merger = Merger()
    merger.add(left, 0.0, 15.0)
    merger.add(right, 13.0, 28.0)
    assert text(merger.tokens) == merged


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        pytest.param(
            said("abcd", 13.25, 13.75, 14.25, 14.75),
            said("WXYZ", 13.25, 13.75, 14.25, 14.75),
            "abYZ",
            id="of gaps as long the one in the middle, and not the long ones at the edges",
        ),
        pytest.param(said("abcde", 13.75, 14, 14.25, 14.5, 14.75), said("Z", 14.75), "Z", id="early"),
        pytest.param(said("a", 13.25), said("VWXYZ", 13.25, 13.5, 13.75, 14, 14.25), "a", id="late"),
        pytest.param(
            said("zbc", 12.875, 13.75, 14.75), said("XYZ", 13.25, 13.75, 14.25), "zbZ", id="both sides take time"
        ),
        pytest.param(
            said("abc", 13.2496, 13.75, 14.25), said("Z", 14.75), "abZ", id="less than a millisecond is no difference"
        ),
        pytest.param(said("a", 13.0), said("Z", 15.0), "aZ", id="nobody speaks there"),
    ],
)
def test_without_agreement_the_seam_is_in_the_longest_gap_of_the_middle_half(
    left: list[Token], right: list[Token], merged: str
) -> None:
    assert text(merge(left, right, start=12.0, end=16.0)) == merged


@pytest.mark.parametrize(
    ("token", "heard"),
    [(" Budget,", "budget"), ("Ｋ９！", "k9"), ("“好”", "好"), ("…", ""), (" isn't", "isnt"), ("Straße", "strasse")],
)
def test_what_is_heard_of_a_token_are_its_letters_and_digits(token: str, heard: str) -> None:
    assert spoken(Token(token, 0, 1, 1)) == heard


def test_the_same_word_at_another_time_is_another_word() -> None:
    left = tokens(("好", 13.2), ("好", 13.8), ("好", 14.4))
    right = tokens(("好", 13.2), ("好", 13.8), ("好", 14.4), ("好", 15.2))
    assert text(merge(left, right, start=13.0, end=15.0)) == "好好好好"


def test_case_spaces_and_punctuation_do_not_hide_agreement() -> None:
    left = tokens((" the", 12.5), (" budget,", 13.4), (" Which", 14.0), (" wa", 14.8))
    right = tokens((" Budget", 13.4), (" which", 14.0), (" was", 14.7), (" approved.", 15.2))
    merged = text(merge(left, right, start=13.0, end=15.0))
    assert merged.casefold().replace(",", "") == " the budget which was approved."


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


@st.composite
def heard(draw: st.DrawFn) -> list[tuple[list[Token], float, float]]:
    """What windows heard, each with its start and end: any steps and lengths, few words, so that many seem the same."""
    windows, start = [], 0.0
    for _ in range(draw(st.integers(1, 6))):
        start += draw(st.integers(0, 12)) / 4
        end = max([start + draw(st.integers(1, 16)) / 4, *(end for *_, end in windows)])
        middles = sorted(draw(st.lists(st.integers(round(start * 8), round(end * 8)), max_size=8)))
        words = draw(st.lists(st.sampled_from("天地玄，"), min_size=len(middles), max_size=len(middles)))
        windows.append((said("".join(words), *(at / 8 for at in middles)), start, end))
    return windows


@given(windows=heard())
def test_what_is_settled_changes_nothing(windows: list[tuple[list[Token], float, float]]) -> None:
    merger, expected, last = Merger(), list[Token](), 0.0
    for heard_, start, end in windows:
        merger.add(heard_, start, end)
        expected, last = merge(expected, heard_, start, last), end
        assert merger.tokens == expected
