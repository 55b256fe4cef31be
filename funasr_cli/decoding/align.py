"""CTC forced alignment: when each token of a text is spoken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from funasr_cli.decoding.candidates import Candidates, Frame
from funasr_cli.decoding.ctc import BLANK, Emission


def align(candidates: Candidates, tokens: Sequence[int]) -> list[Emission]:
    """Find the most probable alignment of `tokens` (Viterbi), in the form of greedy decoding.

    The alignment goes through the candidates of each frame, and through other labels at the floor. Raises `ValueError`
    if the tokens cannot be aligned that way.
    """
    if not tokens:
        return []
    labels = [BLANK]
    for token in tokens:
        labels += [token, BLANK]
    numbers, log_probs = _lattice(candidates.frames, labels)
    states = _best_states(log_probs, labels)
    emissions = []
    for state, group in groupby(range(len(states)), key=states.__getitem__):
        if state % 2:
            rows = list(group)
            best = float(log_probs[rows, state].max())
            emissions.append(Emission(labels[state], numbers[rows[0]], numbers[rows[-1]], best))
    return emissions


def _lattice(frames: Sequence[Frame], labels: Sequence[int]) -> tuple[list[int], NDArray[np.float64]]:
    """Return the numbers of frames, and the log-probabilities `[frames, labels]` in them.

    A single frame stands for each gap between the searched frames, because blank is certain in all frames of a gap.
    """
    columns = {label: column for column, label in enumerate(dict.fromkeys(labels))}
    numbers, rows, before = list[int](), list[NDArray[np.float64]](), -1
    for frame in frames:
        if frame.number > before + 1:
            silence = np.full(len(columns), -math.inf)
            silence[columns[BLANK]] = 0.0
            numbers.append(before + 1)
            rows.append(silence)
        row = np.full(len(columns), frame.floor)
        for label, log_prob in zip(frame.labels, frame.log_probs, strict=True):
            if label in columns:
                row[columns[label]] = log_prob
        numbers.append(frame.number)
        rows.append(row)
        before = frame.number
    return numbers, np.reshape(rows, (-1, len(columns)))[:, [columns[label] for label in labels]]


def _best_states(log_probs: NDArray[np.float64], labels: Sequence[int]) -> list[int]:
    """Return the best index into `labels` for each frame `[frames, labels]`; even indices are blanks."""
    size = len(labels)
    over_blank = np.full(size, -math.inf)  # from one token to the next, skipping the blank, if the two differ
    over_blank[[state for state in range(3, size, 2) if labels[state] != labels[state - 2]]] = 0.0
    scores = np.full(size, -math.inf)
    scores[0] = 0.0
    ways = np.full((3, size), -math.inf)  # into each state: from itself, from the one before, from the last but one
    steps = np.zeros(log_probs.shape, np.intp)
    for row, chances in enumerate(log_probs):
        ways[0], ways[1, 1:], ways[2, 2:] = scores, scores[:-1], scores[:-2]
        ways[2] += over_blank
        steps[row] = ways.argmax(axis=0)
        scores = ways.max(axis=0) + chances
    state = size - 1 if scores[-1] > scores[-2] else size - 2
    if scores[state] == -math.inf:
        raise ValueError("the tokens are not among the candidates")
    states = []
    for step in steps[::-1]:
        states.append(state)
        state -= int(step[state])
    return states[::-1]
