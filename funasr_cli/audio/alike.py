"""Which channels of a recording are one sound, with the same sign or with the opposite one."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from funasr_cli.arrays import Samples
from funasr_cli.audio.phase import Grams, PhaseMeter

OPPOSITE = -0.5
"""Correlation below which two channels are one sound with opposite signs; sounds of two microphones are about 0."""


class ChannelComparison:
    """Compares the channels, which count from 1, block by block. What it says holds once all blocks are there."""

    def __init__(self, channels: int) -> None:
        pairs = combinations(range(1, channels + 1), 2)
        self._same = [(one, other, sign) for one, other in pairs for sign in (1, -1)]
        self._meter: tuple[int, PhaseMeter] | None = None
        self._gram = np.zeros((channels, channels))

    def push(self, rate: int, block: Samples) -> None:
        """The next block, `[n, channels]`."""
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
        """There are no more blocks."""
        if self._meter is not None:
            self._add(self._meter[1].finish())
            self._meter = None

    def _add(self, grams: Grams | None) -> None:
        if grams is not None:
            self._gram += grams.sum(axis=0)

    @property
    def copies(self) -> dict[int, int]:
        """The channels that are an earlier one, sample for sample or inverted, and which that is."""
        return {later: earlier for earlier, later, _ in reversed(self._same)}

    @property
    def opposed(self) -> frozenset[tuple[int, int]]:
        """Pairs of channels, the earlier one first, that are one sound with opposite signs, perhaps among others."""
        level = np.sqrt(np.diag(self._gram))
        found = np.argwhere(np.triu(self._gram < OPPOSITE * np.outer(level, level), 1))
        return frozenset((int(one) + 1, int(other) + 1) for one, other in found)
