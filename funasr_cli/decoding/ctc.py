"""Greedy CTC decoding (Graves et al. 2006): the best label of every frame, without repetitions and blanks."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLANK = 0


class Emission(NamedTuple):
    """A token that the graph output: its id, the frames `first` to `last` (inclusive), its best log-probability."""

    token: int
    first: int
    last: int
    log_prob: float


class BestPath(NamedTuple):
    """The best label of every frame, int `[frames]`, and its log-probability, float32 `[frames]`."""

    labels: NDArray[np.integer]
    log_probs: NDArray[np.float32]


def best_path_of_topk(log_probs: NDArray[np.float32], ids: NDArray[np.integer]) -> BestPath:
    """Take the K best labels of every frame, best first, both `[frames, K]`. Raises like `best_path_of_logits`."""
    check(log_probs[:, 0])
    return BestPath(ids[:, 0], log_probs[:, 0])


def best_path_of_logits(logits: NDArray[np.float32]) -> BestPath:
    """Take unnormalised scores, float32 `[frames, vocabulary]`.

    Blank frames, most of a recording, are not normalised, because their probability is never used; it is given as 0.
    Raises `FloatingPointError` if a score is NaN or infinite: the best label would be blank, and the recording silence.
    """
    labels = logits.argmax(axis=-1)
    check(np.take_along_axis(logits, labels[:, np.newaxis], axis=-1))  # to argmax, NaN is the largest
    log_probs = np.zeros(len(labels), np.float32)
    for frame in np.flatnonzero(labels != BLANK):  # row by row, to stay in the processor's cache
        log_probs[frame] = log_prob_of_best(logits[frame], labels[frame])
    return BestPath(labels, log_probs)


def log_prob_of_best(scores: NDArray[np.float32], label: np.intp) -> np.float32:
    """Return the log-probability of `label`, whose score is the best: its score over the sum of all, `[vocabulary]`."""
    log_prob: np.float32 = -np.log(np.exp(scores - scores[label]).sum())
    return log_prob


def check(scores: NDArray[np.float32]) -> None:
    """Raise `FloatingPointError` if one of the scores is NaN or infinite."""
    if not np.isfinite(scores).all():
        raise FloatingPointError("the graph returned scores that are not finite")


def collapse(path: BestPath) -> list[Emission]:
    """Return the tokens on a path, in order."""
    labels = path.labels
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    bounds = [0, *changes.tolist(), len(labels)] if len(labels) else []
    return [
        Emission(int(labels[start]), start, end - 1, float(path.log_probs[start:end].max()))
        for start, end in pairwise(bounds)
        if labels[start] != BLANK
    ]
