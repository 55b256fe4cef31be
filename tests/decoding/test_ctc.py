"""Greedy CTC decoding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.decoding.ctc import BestPath, best_path_of_logits, best_path_of_topk, collapse


def path(*labels: int) -> BestPath:
    return BestPath(np.array(labels, np.int32), -np.arange(len(labels), dtype=np.float32))


def test_repetitions_and_blanks_are_taken_out_and_places_kept() -> None:
    assert collapse(path(0, 5, 5, 0, 5, 7, 0)) == [(5, 1, 2, -1.0), (5, 4, 4, -4.0), (7, 5, 5, -5.0)]


@pytest.mark.parametrize("labels", [(), (0,), (0, 0, 0)])
def test_nothing_but_blanks_is_nothing(labels: tuple[int, ...]) -> None:
    assert collapse(path(*labels)) == []


@given(st.lists(st.integers(0, 3), max_size=30))
def test_every_frame_above_blank_belongs_to_one_token(labels: list[int]) -> None:
    emissions = collapse(path(*labels))
    covered = [frame for emission in emissions for frame in range(emission.first, emission.last + 1)]
    assert covered == [frame for frame, label in enumerate(labels) if label]
    assert all(labels[frame] == emission.token for emission in emissions for frame in (emission.first, emission.last))


def test_logits_and_the_best_k_of_them_give_the_same_path() -> None:
    logits = np.random.default_rng(0).normal(0, 5, (50, 100)).astype(np.float32)
    log_probs = logits - np.log(np.exp(logits.astype(np.float64)).sum(axis=1, keepdims=True))
    ids = np.argsort(-logits, axis=1)[:, :8]
    best = best_path_of_topk(np.take_along_axis(log_probs, ids, 1).astype(np.float32), ids)
    assert collapse(best_path_of_logits(logits)) == [
        (token, first, last, pytest.approx(log_prob, abs=1e-5)) for token, first, last, log_prob in collapse(best)
    ]
