"""Measure, step by step, what the channels of a recording have in common, with equal or opposite sign."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Samples

STEP_SECONDS = 0.05
"""Short compared with a word: if a channel becomes inverted mid-recording, up to this much of a word can be lost."""

BAND_SECONDS = 0.0005
"""Width of the Haar wavelet through which channels are compared: about 0.5 to 3 kHz, the band of speech. Hum or hiss
that two channels share says nothing about their signs."""

SPARSITY = 4
"""Only one wavelet in this many is computed, which saves time. That leaves 25 in a step, 1,000 in two seconds."""

BATCH_STEPS = 40
"""Two seconds are measured at a time. For less, NumPy's calls would cost more than what they compute; more would not
stay in the CPU caches until it is measured."""

SILENCE = 1e-9
"""Total power, −90 dBFS, up to which a step is silence and has no meaningful phase."""

MIN_SHARE = 0.1
"""A channel cancels the others if it takes away more than this share of its own power."""

SIMILAR_QUALITY = 2.0
"""Channels are equally good if their ranges from noise to speech are within 3 dB of each other."""

Grams: TypeAlias = NDArray[np.float64]
"""`[steps, channels, channels]`: mean product of each pair of channels, full scale 1; the diagonals hold powers."""


class PhaseMeter:
    """Measures a stream of blocks; the result does not depend on the block sizes."""

    def __init__(self, rate: int, channels: int) -> None:
        half = max(1, round(rate * BAND_SECONDS / 2))
        self._width = 2 * half
        self._hop = SPARSITY * self._width
        self._per_step = max(1, round(rate * STEP_SECONDS / self._hop))
        self._wavelet = (np.repeat([1.0, -1.0], half) / (self._width * self._per_step**0.5)).astype(np.float32)
        self._wavelets = np.kron(self._wavelet[:, np.newaxis], np.eye(channels, dtype=np.float32))
        self._channels = channels
        self._rest: Samples = np.empty((0, channels), np.float32)
        self._heard: list[Samples] = []  # through wavelets, `[n, channels]`
        self._count = 0  # of them
        self.step = self._hop * self._per_step
        """Samples in a step."""

    def push(self, block: Samples) -> Grams | None:
        """Add a block, `[n, channels]`, and return the steps measured now; None if more samples are needed."""
        if len(self._rest):
            missing = self._hop - len(self._rest)
            self._rest = np.concatenate([self._rest, block[:missing]])
            if len(self._rest) < self._hop:
                return None
            self._hear(self._rest)
            block = block[missing:]
        whole = len(block) // self._hop * self._hop
        self._hear(block[:whole])
        self._rest = block[whole:].copy()
        return self._measure() if self._count >= BATCH_STEPS * self._per_step else None

    def finish(self) -> Grams:
        """Return the remaining steps; the last one is padded with silence."""
        rest, self._rest = self._rest, self._rest[:0]
        missing = -(self._count * self._hop + len(rest)) % self.step
        self._hear(np.concatenate([rest, np.zeros((missing, self._channels), np.float32)]))
        return self._measure()

    def _hear(self, samples: Samples) -> None:
        """Multiply by wavelets, a tenth of the time of sums; samples may be in C or Fortran order."""
        with np.errstate(invalid="ignore", over="ignore"):  # NaN or infinite samples
            if samples.flags.c_contiguous:
                rows = samples.reshape(-1, self._hop * self._channels)[:, : self._width * self._channels]
                heard = rows @ self._wavelets
            else:
                columns = samples.T.reshape(self._channels, -1, self._hop)[:, :, : self._width]
                heard = (columns @ self._wavelet).T
        self._heard.append(heard)
        self._count += len(heard)

    def _measure(self) -> Grams:
        heard = np.concatenate(self._heard)
        whole = len(heard) // self._per_step * self._per_step
        self._heard, self._count = [heard[whole:]], len(heard) - whole
        steps = heard[:whole].reshape(-1, self._per_step, self._channels)
        with np.errstate(invalid="ignore", over="ignore"):
            grams: Grams = (steps.transpose(0, 2, 1) @ steps).astype(np.float64)
        return grams if np.isfinite(grams).all() else np.asarray(np.nan_to_num(grams, posinf=0, neginf=0))


def inverted(grams: Grams) -> tuple[int, ...]:
    """Return the channels, numbered from 0, whose sign is opposite to the others'; of two that cancel, the worse one.

    The better channel rises further above its quietest step. If both are equally good, the first one is kept.
    """
    gram = grams.sum(axis=0)
    power, least = np.diag(gram), np.diagonal(grams, axis1=1, axis2=2).min(axis=0)
    quality = power / np.maximum(least, SILENCE)
    signs = np.ones(len(power))
    while True:
        added = signs * (gram @ signs) - power  # what the others add to a channel's own power
        against = np.flatnonzero(added < -MIN_SHARE * power)
        if not len(against):
            return tuple(map(int, np.flatnonzero(signs < 0)))
        worst = against[quality[against] <= SIMILAR_QUALITY * quality[against].min()]
        signs[worst[-1]] *= -1  # each flip raises the power of the mean, so the loop ends
