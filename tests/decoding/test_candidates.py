"""Which frames and labels a search looks at."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from funasr_cli.decoding.candidates import MAX_CANDIDATES, Candidates, candidates_of_logits, candidates_of_topk
from tests.support.exact_search import log_softmax, topk


def of_topk(logits: NDArray[np.float32], margin: float = 4.0) -> Candidates:
    return candidates_of_topk(*topk(logits, min(MAX_CANDIDATES, logits.shape[1])), margin)


BOTH = pytest.mark.parametrize("candidates", [of_topk, candidates_of_logits])


@BOTH
def test_labels_within_the_margin_are_there_best_first(candidates: Callable[..., Candidates]) -> None:
    logits = np.array([[1, 3, 2.5, -0.9, -1.1]], np.float32)
    (frame,) = candidates(logits).frames
    assert (frame.number, frame.labels, frame.floor) == (0, [1, 2, 0, 3], -math.inf)
    assert frame.log_probs == pytest.approx(log_softmax(logits)[0, frame.labels].tolist(), abs=1e-6)


@BOTH
def test_frames_of_nothing_but_blank_are_left_out(candidates: Callable[..., Candidates]) -> None:
    logits = np.array([[9, 0, 0], [9, 5.1, 0], [9, 4.9, 0], [0, 9, 0]], np.float32)
    assert [(frame.number, frame.labels) for frame in candidates(logits).frames] == [(1, [0, 1]), (3, [1])]


@BOTH
def test_of_many_labels_the_best_are_kept_and_the_last_is_the_floor(candidates: Callable[..., Candidates]) -> None:
    logits = np.linspace(0, 1, 100, dtype=np.float32)[np.newaxis]
    (frame,) = candidates(logits).frames
    assert frame.labels == list(range(99, 99 - MAX_CANDIDATES, -1))
    assert frame.floor == frame.log_probs[-1] == pytest.approx(log_softmax(logits)[0, 100 - MAX_CANDIDATES], abs=1e-6)


def test_logits_and_the_best_k_of_them_are_the_same_candidates() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (60, 80)).astype(np.float32)
    for one, other in zip(candidates_of_logits(logits).frames, of_topk(logits).frames, strict=True):
        assert one == (*other[:2], pytest.approx(other.log_probs, abs=1e-5), pytest.approx(other.floor, abs=1e-5))


@pytest.mark.parametrize("place", [(1, 0), (1, 2)])
@pytest.mark.parametrize("blank", [0.0, 9.0])
@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(place: tuple[int, int], blank: float, score: float) -> None:
    logits = np.zeros((3, 4), np.float32)
    logits[:, 0] = blank
    logits[place] = score
    with pytest.raises(FloatingPointError, match="not finite"):
        candidates_of_logits(logits)
    with pytest.raises(FloatingPointError, match="not finite"):
        candidates_of_topk(logits, np.zeros((3, 4), np.int32))


def test_labels_of_no_probability_at_all_are_allowed() -> None:
    log_probs = np.array([[0, -math.inf, -math.inf]], np.float32)
    assert candidates_of_topk(log_probs, np.array([[2, 1, 0]], np.int32)).frames == [(0, [2], [0.0], -math.inf)]


def test_no_frames_are_no_candidates() -> None:
    assert candidates_of_logits(np.empty((0, 5), np.float32)).frames == []
    assert candidates_of_topk(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)).frames == []
