"""Token times follow where the speech is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.timing import fit_to_speech
from funasr_cli.transcript import Token

SPEECH = [(1.0, 3.0), (6.0, 8.0), (9.0, 10.0)]


@pytest.mark.parametrize(
    ("times", "fitted"),
    [
        pytest.param((1.5, 2.0), (1.5, 2.0), id="within speech"),
        pytest.param((9.5, 9.75), (9.5, 9.75), id="within the last speech"),
        pytest.param((2.0, 6.1), (2.0, 3.0), id="the pause was given to the word before it"),
        pytest.param((2.9, 7.0), (6.0, 7.0), id="the pause was given to the word after it"),
        pytest.param((2.0, 7.0), (2.0, 3.0), id="as much before the pause as after it: before"),
        pytest.param((2.9, 9.5), (6.0, 8.0), id="over two pauses"),
        pytest.param((0.5, 1.5), (1.0, 1.5), id="early"),
        pytest.param((4.0, 5.0), (4.0, 5.0), id="outside all speech: left alone"),
        pytest.param((3.0, 6.0), (3.0, 6.0), id="from one speech to the next"),
        pytest.param((2.0, 2.0), (2.0, 2.02), id="of no length"),
        pytest.param((4.0, 4.0), (4.0, 4.02), id="of no length, outside all speech"),
        pytest.param((2.99, 5.0), (2.99, 3.01), id="hardly anything left"),
        pytest.param((8.9, 9.005), (9.0, 9.02), id="hardly anything left after the pause"),
    ],
)
def test_a_token_lies_in_the_span_that_holds_most_of_it(
    times: tuple[float, float], fitted: tuple[float, float]
) -> None:
    (token,) = fit_to_speech([Token("词", *times, 0.9)], SPEECH)
    assert (token.start, token.end) == pytest.approx(fitted)
    assert token.tail == pytest.approx(0)


@pytest.mark.parametrize(
    ("times", "tail", "fitted"),
    [
        pytest.param((1.5, 2.0), 0.5, 0.5, id="within speech"),
        pytest.param((1.5, 2.75), 0.5, 0.25, id="into the pause"),
        pytest.param((2.5, 3.5), 0.5, 0.0, id="in the pause"),
        pytest.param((4.0, 5.0), 0.5, 0.5, id="outside all speech"),
    ],
)
def test_a_token_is_heard_no_longer_than_its_span_lasts(times: tuple[float, float], tail: float, fitted: float) -> None:
    (token,) = fit_to_speech([Token("词", *times, 0.9, tail)], SPEECH)
    assert token.tail == pytest.approx(fitted)


@pytest.mark.parametrize("times", [(10.0, 10.0), (9.99, 9.99), (9.9, 10.1), (10.1, 10.3)])
def test_no_token_ends_after_the_speech(times: tuple[float, float]) -> None:
    (token,) = fit_to_speech([Token("词", *times, 0.9, tail=0.3)], SPEECH)
    assert 0.01999 < token.end - token.start <= 0.11
    assert token.end <= 10.0


def test_a_token_in_a_recording_of_a_moment_begins_with_it() -> None:
    (token,) = fit_to_speech([Token("词", 0.5, 0.75, 0.9)], [(0.0, 0.01)])
    assert (token.start, token.end) == (0.0, 0.01)


@given(st.lists(st.tuples(st.floats(0, 12), st.floats(0, 3)), max_size=5))
def test_nothing_but_the_times_changes(times: list[tuple[float, float]]) -> None:
    tokens = [Token(f"词{i}", start, start + length, i / 10, language="zh") for i, (start, length) in enumerate(times)]
    fitted = fit_to_speech(tokens, SPEECH)
    assert [(token.text, token.confidence, token.language) for token in fitted] == [
        (token.text, token.confidence, token.language) for token in tokens
    ]
    assert all(0 <= token.start < token.end <= 10 and token.tail >= 0 for token in fitted)
