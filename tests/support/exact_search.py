"""What decoding has to find, by going through all there is: slow, and too simple to be wrong."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from funasr_cli.decoding.context import bonus


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    log_probs: NDArray[np.float64] = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return log_probs


def topk(logits: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """What a graph gives that ends in TopK."""
    log_probs = log_softmax(logits).astype(np.float32)
    ids = np.argsort(-log_probs, axis=1, kind="stable")[:, :k].astype(np.int32)
    return np.take_along_axis(log_probs, ids, axis=1), ids


def text_of(alignment: Sequence[int]) -> tuple[int, ...]:
    """The labels of frames without repetitions and blanks."""
    return tuple(label for label, _ in itertools.groupby(alignment) if label)


def log_probs_of_texts(logits: NDArray[np.float32]) -> dict[tuple[int, ...], float]:
    """Every text there can be, and its log-probability: the sum over all its alignments. Float32 `[frames, labels]`."""
    probs = np.exp(log_softmax(logits))
    sums: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for alignment in itertools.product(range(probs.shape[1]), repeat=len(probs)):
        sums[text_of(alignment)] += math.prod(probs[frame, label] for frame, label in enumerate(alignment))
    return {text: math.log(prob) for text, prob in sums.items()}


def earned(text: Sequence[int], hotwords: Mapping[tuple[int, ...], float]) -> float:
    """What hotwords, with their weights, add to a text: for each place where one is, what those inside it leave."""
    places = [(start, end) for start in range(len(text)) for end in range(start + 1, len(text) + 1)]
    return sum(own(tuple(text[start:end]), hotwords) for start, end in places)


def own(word: tuple[int, ...], hotwords: Mapping[tuple[int, ...], float]) -> float:
    if word not in hotwords:
        return 0.0
    inside = sum(
        own(word[start:end], hotwords)
        for start in range(len(word))
        for end in range(start + 1, len(word) + 1)
        if end - start < len(word)
    )
    return max(0.0, bonus(len(word), hotwords[word]) - inside)
