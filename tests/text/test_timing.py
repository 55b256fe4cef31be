"""Token times follow where the speech is."""

from __future__ import annotations

import pytest

from funasr_cli.text.timing import fit_to_speech
from funasr_cli.transcript import Token

SPEECH = [(1.0, 3.0), (6.0, 8.0)]


@pytest.mark.parametrize(
    ("times", "fitted"),
    [
        pytest.param((1.5, 2.0), (1.5, 2.0), id="within speech"),
        pytest.param((2.0, 6.1), (2.0, 3.0), id="the pause was given to the word before it"),
        pytest.param((2.9, 7.0), (6.0, 7.0), id="the pause was given to the word after it"),
        pytest.param((0.5, 1.5), (1.0, 1.5), id="early"),
        pytest.param((4.0, 5.0), (4.0, 5.0), id="outside all speech: left alone"),
        pytest.param((2.0, 2.0), (2.0, 2.02), id="of no length"),
    ],
)
def test_a_token_lies_in_the_span_that_holds_most_of_it(
    times: tuple[float, float], fitted: tuple[float, float]
) -> None:
    (token,) = fit_to_speech([Token("词", *times, 0.9)], SPEECH)
    assert (token.start, token.end) == pytest.approx(fitted)


@pytest.mark.parametrize("times", [(8.0, 8.0), (7.99, 7.99), (7.9, 8.1), (8.1, 8.3)])
def test_no_token_ends_after_the_speech(times: tuple[float, float]) -> None:
    (token,) = fit_to_speech([Token("词", *times, 0.9, tail=0.3)], SPEECH)
    assert 0 < token.end - token.start <= 0.11
    assert token.end <= 8.0
