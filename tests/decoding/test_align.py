"""Forced alignment: the most probable frames of a given text."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.decoding.align import align
from funasr_cli.decoding.candidates import candidates_of_logits, candidates_of_topk
from funasr_cli.decoding.ctc import collapse
from tests.support.exact_search import log_softmax, text_of


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.floats(0.5, 5))
def test_the_text_of_greedy_decoding_is_aligned_as_greedy_decoding_does(seed: int, frames: int, spread: float) -> None:
    logits = np.random.default_rng(seed).normal(0, spread, (frames, 6)).astype(np.float32)
    candidates = candidates_of_logits(logits)
    greedy = collapse(candidates.path)
    assert align(candidates, [emission.token for emission in greedy]) == greedy


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 2), max_size=3))
def test_no_other_alignment_is_more_probable(seed: int, text: list[int]) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (6, 3)).astype(np.float32)
    log_probs = log_softmax(logits)
    best = max(
        (path for path in itertools.product(range(3), repeat=6) if text_of(path) == tuple(text)),
        key=lambda path: sum(log_probs[frame, label] for frame, label in enumerate(path)),
    )
    runs = [(label, [frame for frame, _ in run]) for label, run in itertools.groupby(enumerate(best), lambda at: at[1])]
    assert align(candidates_of_logits(logits, math.inf), text) == [
        (label, run[0], run[-1], pytest.approx(log_probs[run, label].max(), abs=1e-5)) for label, run in runs if label
    ]


def test_a_label_that_is_missing_is_as_good_as_the_last_that_is_there() -> None:
    log_probs = np.array([[-0.5, -1.5], [-0.5, -1.5]], np.float32)
    candidates = candidates_of_topk(log_probs, np.array([[0, 1], [2, 0]]))
    assert align(candidates, [3, 2]) == [(3, 0, 0, -1.5), (2, 1, 1, -0.5)]


def test_a_text_that_cannot_be_there_is_an_error() -> None:
    logits = np.array([[9, 0, 0], [0, 9, 0]], np.float32)
    with pytest.raises(ValueError, match="not among the candidates"):
        align(candidates_of_logits(logits), [2])
    with pytest.raises(ValueError, match="not among the candidates"):
        align(candidates_of_logits(logits), [1, 1])
