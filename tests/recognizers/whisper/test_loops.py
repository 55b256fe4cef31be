"""Which part of a text was said, and which part a looping model invented."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.recognizers.whisper.loops import UNSURE_WORDS, is_plausible, is_repetitive, trusted_words
from funasr_cli.transcript import Token

SAID = st.lists(st.floats(0.06, 2.0), max_size=80)
"""Duration of spoken words, in seconds."""

CROWDED = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.02]), min_size=10, max_size=200)
"""Duration of the words of a loop, in seconds."""


def words(seconds: list[float], text: str = " on", confidence: float = 0.9) -> list[Token]:
    """Consecutive words with the given durations."""
    ends = list(accumulate(seconds))
    return [Token(text, end - length, end, confidence) for end, length in zip(ends, seconds, strict=True)]


@given(SAID)
def test_words_that_took_their_time_are_trusted(seconds: list[float]) -> None:
    assert trusted_words(words(seconds), complete=True) == len(seconds)


@given(SAID, CROWDED)
def test_a_loop_is_not_trusted_and_what_was_said_well_before_it_is(said: list[float], crowded: list[float]) -> None:
    trusted = trusted_words(words([*said, *crowded]), complete=True)
    assert len(said) - UNSURE_WORDS - 6 <= trusted <= len(said)


@given(SAID, CROWDED, SAID)
def test_nothing_after_a_loop_is_trusted(said: list[float], crowded: list[float], after: list[float]) -> None:
    assert trusted_words(words([*said, *crowded, *after]), complete=True) <= len(said)


@given(SAID, SAID, st.floats(2.5, 20.0))
def test_of_a_text_that_was_cut_off_nothing_is_trusted_from_where_it_is_stretched(
    said: list[float], last: list[float], stretched: float
) -> None:
    """The word that takes up the rest of the window is in the second half; earlier, the text would not fit."""
    last = last[: len(said)]
    trusted = trusted_words(words([*said, stretched, *last]), complete=False)
    assert trusted <= max(0, len(said) - UNSURE_WORDS)
    assert trusted >= len(said) // 2 - UNSURE_WORDS


def test_marks_and_vowel_signs_take_no_time() -> None:
    thai = [Token(sign, 0.15 * (at // 2), 0.15 * (at // 2 + 1), 0.9) for at, sign in enumerate("กิลิมิสินิรินิวิ")]
    assert trusted_words(thai, complete=True) == len(thai)
    dots = [Token(" .", 1.0, 1.0, 0.9)] * 20
    assert trusted_words(dots, complete=True) == 20
    assert trusted_words([Token(" so", 1.0, 1.0, 0.9)] * 20, complete=True) == 0


@pytest.mark.parametrize("complete", [True, False])
def test_of_no_words_none_are_trusted(complete: bool) -> None:
    assert trusted_words([], complete=complete) == 0


def test_a_repetition_is_plausible_if_the_model_is_sure_and_the_words_fill_their_time() -> None:
    refrain = words([0.3] * 60, " merrily,")
    assert is_repetitive("".join(word.text for word in refrain))
    assert is_plausible(refrain)
    assert not is_plausible(words([0.3] * 60, " merrily,", confidence=0.4))
    assert not is_plausible(words([0.1, 3.0] * 30, " merrily,"))
    assert not is_plausible([])
    assert not is_repetitive("")
    assert not is_repetitive("Please read the second chapter before the meeting.")
