"""Find channels that carry the same sound, with equal or opposite sign."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from funasr_cli.arrays import Samples
from funasr_cli.audio.phase import Grams, PhaseMeter

OPPOSITE = -0.5
"""Correlation below which two channels are one sound with opposite signs; two microphones correlate at about 0."""


class ChannelComparison:
    """Compares channels, numbered from 1, block by block. The results are valid after the last block."""

    def __init__(self, channels: int) -> None:
        pairs = combinations(range(1, channels + 1), 2)
        self._same = [(one, other, sign) for one, other in pairs for sign in (1, -1)]
        self._meter: tuple[int, PhaseMeter] | None = None
        self._gram = np.zeros((channels, channels))

    def push(self, rate: int, block: Samples) -> None:
        """Add the next block, `[n, channels]`."""
        self._same = [
            (one, other, sign)
            for one, other, sign in self._same
            if np.array_equal(block[:, one - 1], sign * block[:, other - 1])
        ]
        if self._meter is None or self._meter[0] != rate:
            self.finish()
            self._meter = rate, PhaseMeter(rate, len(self._gram))
        self._add(self._meter[1].push(block))

    def finish(self) -> None:
        """Include what is still buffered after the last block."""
        if self._meter is not None:
            self._add(self._meter[1].finish())
            self._meter = None

    def _add(self, grams: Grams | None) -> None:
        if grams is not None:
            self._gram += grams.sum(axis=0)

    @property
    def copies(self) -> dict[int, int]:
        """Each channel that copies an earlier one, sample for sample or inverted, mapped to that channel."""
        return {later: earlier for earlier, later, _ in reversed(self._same)}

    @property
    def opposed(self) -> frozenset[tuple[int, int]]:
        """Pairs of channels, lower number first, that share a sound with opposite signs; they may also differ."""
        level = np.sqrt(np.diag(self._gram))
        found = np.argwhere(np.triu(self._gram < OPPOSITE * np.outer(level, level), 1))
        return frozenset((int(one) + 1, int(other) + 1) for one, other in found)
