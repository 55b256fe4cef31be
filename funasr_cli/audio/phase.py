"""What the channels of a recording have in common, with the same sign or with the opposite one, step by step."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Samples

STEP_SECONDS = 0.05
"""Short against a word: as much of one can be lost if a channel is inverted from some moment on."""

BAND_SECONDS = 0.0005
"""Width of the wavelet (Haar's) through which sound is compared: from about 0.5 to 3 kHz, where words are. Hum that two
channels have in common says nothing about their signs, nor does hiss."""

SPARSITY = 4
"""One wavelet of so many will do, and takes less time. 25 of them are left in a step, 1,000 in two seconds."""

BATCH_STEPS = 40
"""Two seconds are measured at a time: of one NumPy's calls cost more than what they compute, and more would wait longer
than they stay in the processor's caches."""

SILENCE = 1e-9
"""Power of all channels, −90 dBFS, up to which a step is silence: it has no phase to speak of."""

MIN_SHARE = 0.1
"""A channel cancels the others if it takes from them more than this part of its own power."""

SIMILAR_QUALITY = 2.0
"""Of two channels whose ranges from noise to speech are within 3 dB the first is as good as the other."""

Grams: TypeAlias = NDArray[np.float64]
"""`[steps, channels, channels]`: mean products of every two channels, full scale 1; on the diagonals their powers."""


class PhaseMeter:
    """Measures a stream of blocks; the result does not depend on their sizes."""

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
        """Samples of a step."""

    def push(self, block: Samples) -> Grams | None:
        """The steps that are measured once `block`, `[n, channels]`, is there; None if that waits for more."""
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
        """The other steps, the last one with silence after the end."""
        rest, self._rest = self._rest, self._rest[:0]
        missing = -(self._count * self._hop + len(rest)) % self.step
        self._hear(np.concatenate([rest, np.zeros((missing, self._channels), np.float32)]))
        return self._measure()

    def _hear(self, samples: Samples) -> None:
        """Products with wavelets, which take a tenth of the time of sums; samples may be in either order in memory."""
        with np.errstate(invalid="ignore", over="ignore"):  # samples that are not numbers
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
    """Which channels, from 0 on, have the opposite sign of the others; of two that cancel each other, the worse one.

    The better one rises further over the quietest of the steps. If they are as good, it is the first.
    """
    gram = grams.sum(axis=0)
    power, least = np.diag(gram), np.diagonal(grams, axis1=1, axis2=2).min(axis=0)
    quality = power / np.maximum(least, SILENCE)
    signs = np.ones(len(power))
    while True:
        added = signs * (gram @ signs) - power  # to a channel's own power by what it shares with the others
        against = np.flatnonzero(added < -MIN_SHARE * power)
        if not len(against):
            return tuple(map(int, np.flatnonzero(signs < 0)))
        worst = against[quality[against] <= SIMILAR_QUALITY * quality[against].min()]
        signs[worst[-1]] *= -1  # the mean gains, each time: that comes to an end
