"""The few labels of each frame that a search considers."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from funasr_cli.decoding.ctc import (
    BLANK,
    BestPath,
    best_path_of_logits,
    best_path_of_topk,
    check,
    log_prob_of_best,
)

MARGIN = 4.0
"""Labels that are this many nats below the best label of their frame are ruled out.

A hotword can take part only if the model itself gives each of its tokens at least e⁻⁴ (1.8 %) of the probability of the
best label: whatever its weight, it is not forced into speech that lacks it. A frame in which only blank is within the
margin is not searched. Without hotwords, margins of 3 to 12 find the same texts.
"""

MAX_CANDIDATES = 32
"""Labels of a frame, as many as graphs that end in TopK return; logits are cut to the same number."""


class Frame(NamedTuple):
    """A frame in which more than blank is possible: its number, its labels (maybe with blank), their log-probabilities.

    Sorted best first. `floor` is the log-probability of labels that may be possible but are not listed; -inf if there
    are none.
    """

    number: int
    labels: list[int]
    log_probs: list[float]
    floor: float


class Candidates(NamedTuple):
    """The best label of each frame, and the frames to search. In the frames between them, blank is certain."""

    path: BestPath
    frames: list[Frame]


def candidates_of_topk(log_probs: NDArray[np.float32], ids: NDArray[np.integer], margin: float = MARGIN) -> Candidates:
    """Take the K best labels of every frame, best first, both `[frames, K]`. Raises like `candidates_of_logits`.

    The scores of labels outside the K are unknown. If even the K-th label is within the margin, the others are taken to
    be as good as it is, which is their maximum; otherwise they are ruled out.
    """
    path = best_path_of_topk(log_probs, ids)
    check(log_probs.max(axis=1, initial=-math.inf))
    counts = (log_probs > log_probs[:, :1] - margin).sum(axis=1)
    searched = np.flatnonzero((counts > 1) | (path.labels != BLANK))
    frames = [
        _frame(index, ids[index, :count], log_probs[index, :count], cut=count == log_probs.shape[1])
        for index, count in zip(searched.tolist(), counts[searched].tolist(), strict=True)
    ]
    return Candidates(path, frames)


def candidates_of_logits(logits: NDArray[np.float32], margin: float = MARGIN) -> Candidates:
    """Take unnormalised scores, float32 `[frames, vocabulary]`.

    Raises `FloatingPointError` if a score is NaN or infinite.
    """
    path = best_path_of_logits(logits)
    frames = []
    for index, scores in enumerate(logits):
        best = path.labels[index]
        labels = np.flatnonzero(scores > scores[best] - margin)
        if best == BLANK and len(labels) == 1:
            continue
        top = path.log_probs[index] if best != BLANK else log_prob_of_best(scores, best)
        order = labels[np.argsort(-scores[labels], kind="stable")]
        kept = order[:MAX_CANDIDATES]
        frames.append(_frame(index, kept, scores[kept] - scores[best] + top, cut=len(kept) < len(order)))
    return Candidates(path, frames)


def _frame(number: int, labels: NDArray[np.integer], log_probs: NDArray[np.float32], *, cut: bool) -> Frame:
    scores = log_probs.tolist()
    return Frame(number, labels.tolist(), scores, scores[-1] if cut else -math.inf)
