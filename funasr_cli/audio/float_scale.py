"""Float samples at the scale of integers: ±32,768 instead of ±1, as programs write them that forget to divide."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from funasr_cli.arrays import Samples
from funasr_cli.audio.recording import Recording

INTEGER_SCALES = {16: 2.0**15, 24: 2.0**23, 32: 2.0**31}
"""Magnitude of integers of so many bits at full scale."""

INAUDIBLE = 1e-3
"""Samples up to this say nothing of the scale: they are silence at any."""

MAX_OVERLOAD = 32.0
"""Float sound that was made too loud goes up to a few times full scale, 30 dB at the utmost. At the scale of 16-bit
integers that is silence."""

MIN_SHARE = 0.1
"""Share of the audible samples that must be beyond ±1. At an integer scale nearly all are, even those of the noise in
pauses; of a float recording with damaged samples only these are."""

MAX_BEYOND_SHARE = 1e-3
"""Share of the audible samples that may be beyond full scale: what resampling adds to peaks."""

PLACES, PLACE_FRAMES = 16, 1024
"""How many places of a recording are looked at before all of it is, and how much of each."""


def find_bits(places: Iterable[Samples], everything: Callable[[], Iterable[Samples]]) -> int | None:
    """Bits of the integers that float samples are scaled like; None if full scale is ±1, as it should be.

    `places` are blocks from all over the recording. Only if they leave a doubt, as silence does, is `everything` read.
    """
    peak = max((float(np.abs(block).max(initial=0)) for block in places), default=0.0)
    if INAUDIBLE < peak <= 1:
        return None
    return _Levels(everything()).bits


def rescale(recording: Recording, bits: int | None) -> None:
    """Have a recording divided so that full scale is ±1, and a warning say so, if `bits` is a number (`find_bits`)."""
    if bits is not None:
        recording.gain = 1 / INTEGER_SCALES[bits]
        text = f"float samples at the scale of {bits}-bit integers instead of ±1 were divided by 2^{bits - 1}"
        recording.warnings.append(text)


class _Levels:
    """How many samples of a recording are beyond each level, and whether all are whole numbers."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._levels = np.array([INAUDIBLE, 1.0, MAX_OVERLOAD, *INTEGER_SCALES.values()], np.float32)
        self._beyond = np.zeros(len(self._levels), np.int64)
        self._whole = True
        for block in blocks:
            magnitudes = np.abs(block[np.isfinite(block)])
            self._beyond += [np.count_nonzero(magnitudes > level) for level in self._levels]
            self._whole = self._whole and bool(np.array_equal(magnitudes, np.rint(magnitudes)))

    @property
    def bits(self) -> int | None:
        """See `find_bits`. Sound that is whole numbers, and not only -1, 0 and 1, was made of integers however soft."""
        audible, beyond_one, overload, *beyond_integers = self._beyond.tolist()
        if not (overload or (self._whole and beyond_one)) or beyond_one < MIN_SHARE * audible:
            return None
        for bits, beyond in zip(INTEGER_SCALES, beyond_integers, strict=True):
            if beyond <= MAX_BEYOND_SHARE * audible:
                return bits
        return None
