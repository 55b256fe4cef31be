"""Greedy CTC decoding (Graves et al. 2006): the best label of every frame, repetitions and blanks taken out."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLANK = 0


class Emission(NamedTuple):
    """A token that the graph wrote: its id, the frames `first` to `last` (inclusive), its best log-probability."""

    token: int
    first: int
    last: int
    log_prob: float


class BestPath(NamedTuple):
    """The best label of every frame, int `[frames]`, and its log-probability, float32 `[frames]`."""

    labels: NDArray[np.integer]
    log_probs: NDArray[np.float32]


def best_path_of_topk(log_probs: NDArray[np.float32], ids: NDArray[np.integer]) -> BestPath:
    """From the K best labels of every frame, best first: both `[frames, K]`. Raises as `best_path_of_logits`."""
    check(log_probs[:, 0])
    return BestPath(ids[:, 0], log_probs[:, 0])


def best_path_of_logits(logits: NDArray[np.float32]) -> BestPath:
    """From unnormalised scores, float32 `[frames, vocabulary]`.

    Blank frames, most of a recording, are not normalised: nobody asks for their probability. It stands as 0. Raises
    `FloatingPointError` where scores are no numbers: their best label would be blank, and a recording silence.
    """
    labels = logits.argmax(axis=-1)
    check(np.take_along_axis(logits, labels[:, np.newaxis], axis=-1))  # among numbers, what is none counts as the best
    log_probs = np.zeros(len(labels), np.float32)
    for frame in np.flatnonzero(labels != BLANK):  # a row at a time stays in the processor's cache
        log_probs[frame] = log_prob_of_best(logits[frame], labels[frame])
    return BestPath(labels, log_probs)


def log_prob_of_best(scores: NDArray[np.float32], label: np.intp) -> np.float32:
    """The log-probability of the `label` whose score is the best: its score over the sum of all, `[vocabulary]`."""
    log_prob: np.float32 = -np.log(np.exp(scores - scores[label]).sum())
    return log_prob


def check(scores: NDArray[np.float32]) -> None:
    """Raises `FloatingPointError` where one of the scores is no number."""
    if not np.isfinite(scores).all():
        raise FloatingPointError("the graph gives scores that are no numbers")


def collapse(path: BestPath) -> list[Emission]:
    """The tokens on a path, in order."""
    labels = path.labels
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    bounds = [0, *changes.tolist(), len(labels)] if len(labels) else []
    return [
        Emission(int(labels[start]), start, end - 1, float(path.log_probs[start:end].max()))
        for start, end in pairwise(bounds)
        if labels[start] != BLANK
    ]
