"""What decoding must find, by exhaustive search: slow, and too simple to be wrong."""

from __future__ import annotations

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from funasr_cli.decoding.candidates import Frame
from funasr_cli.decoding.context import START, ContextGraph, bonus
from funasr_cli.decoding.ctc import BLANK


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    log_probs: NDArray[np.float64] = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return log_probs


def topk(logits: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the outputs of a graph that ends in TopK."""
    log_probs = log_softmax(logits).astype(np.float32)
    ids = np.argsort(-log_probs, axis=1, kind="stable")[:, :k].astype(np.int32)
    return np.take_along_axis(log_probs, ids, axis=1), ids


def text_of(alignment: Sequence[int]) -> tuple[int, ...]:
    """Return the labels of frames without repetitions and blanks."""
    return tuple(label for label, _ in itertools.groupby(alignment) if label)


def log_probs_of_texts(logits: NDArray[np.float32]) -> dict[tuple[int, ...], float]:
    """Return every possible text and its log-probability over all its alignments, from float32 `[frames, labels]`."""
    probs = np.exp(log_softmax(logits))
    sums: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for alignment in itertools.product(range(probs.shape[1]), repeat=len(probs)):
        sums[text_of(alignment)] += math.prod(probs[frame, label] for frame, label in enumerate(alignment))
    return {text: math.log(prob) for text, prob in sums.items()}


def prefix_beam_search(frames: Sequence[Frame], context: ContextGraph, width: int) -> tuple[tuple[int, ...], bool]:
    """Search for the best text if only the `width` best texts continue from each frame.

    Also returns whether no two scores were equal, whose order would be arbitrary. Between the frames that are searched,
    blank is certain: of the texts in one state of the context only the best continues.
    """
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}  # alignments ending in a blank, in a token
    before, are_apart = -1, True
    for frame in frames:
        best_first = sorted(beam, key=lambda text: -sum(beam[text]))
        if frame.number > before + 1:
            best = {state_of(text, context): text for text in reversed(best_first)}
            beam = {text: (sum(beam[text]), 0.0) for text in best.values()}
        before, longer = frame.number, defaultdict[tuple[int, ...], list[float]](lambda: [0.0, 0.0])
        odds = {label: math.exp(log_prob) for label, log_prob in zip(frame.labels, frame.log_probs, strict=True)}
        for text, (blank, token) in beam.items():
            state = state_of(text, context)
            longer[text][0] += (blank + token) * odds.get(BLANK, 0.0)
            longer[text][1] += token * odds.get(text[-1], 0.0) if text else 0.0
            floors = dict.fromkeys(matched(state, context), math.exp(frame.floor))
            for label, chance in {**floors, **odds}.items():
                if label != BLANK:
                    chance *= context.refund[state] * context.worth[context.step(state, label)]
                    after = (*text, label)
                    longer[after][1] += chance * (blank if text[-1:] == (label,) else blank + token)
        kept = sorted(longer, key=lambda text: -sum(longer[text]))[:width]
        sums = sorted((sum(parts) for parts in longer.values() if sum(parts)), reverse=True)
        are_apart &= all(after < before * (1 - 1e-9) for before, after in itertools.pairwise(sums))
        total = sum(sum(longer[text]) for text in kept)
        beam = {text: (longer[text][0] / total, longer[text][1] / total) for text in kept if sum(longer[text])}
    final = {text: sum(beam[text]) * context.refund[state_of(text, context)] for text in beam}
    ends = sorted(final.values(), reverse=True)
    return max(final, key=final.__getitem__), are_apart and (len(ends) < 2 or ends[1] < ends[0] * (1 - 1e-9))


def state_of(text: Sequence[int], context: ContextGraph) -> int:
    return functools.reduce(context.step, text, START)


def matched(state: int, context: ContextGraph) -> Iterator[int]:
    """Yield the tokens that continue a match in `state`."""
    while state != START:
        yield from context.following[state]
        state = context.fallback[state]


def earned(text: Sequence[int], hotwords: Mapping[tuple[int, ...], float]) -> float:
    """Return what hotwords add to a text, by weight: at each place, the part that inner hotwords leave."""
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
