"""Detect float samples at an integer scale: ±32,768 instead of ±1, written by programs that forgot to divide."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from funasr_cli.arrays import Samples
from funasr_cli.audio.recording import Recording

INTEGER_SCALES = {16: 2.0**15, 24: 2.0**23, 32: 2.0**31}
"""Full-scale magnitude by number of bits."""

INAUDIBLE = 1e-3
"""Samples up to this magnitude are silence at any scale and tell nothing about it."""

MAX_OVERLOAD = 32.0
"""Float sound that was amplified too much exceeds full scale by at most about 30 dB. At the scale of 16-bit integers
that would be silence."""

MIN_SHARE = 0.1
"""Share of the audible samples that must be beyond ±1. At an integer scale nearly all are, even noise in pauses; in a
float recording with damaged samples only the damaged ones are."""

MAX_BEYOND_SHARE = 1e-3
"""Share of the audible samples that may be beyond full scale, because resampling raises peaks."""

PLACES, PLACE_FRAMES = 16, 1024
"""Number of places of a recording that are sampled before all of it is read, and frames read at each."""


def find_bits(places: Iterable[Samples], everything: Callable[[], Iterable[Samples]]) -> int | None:
    """Return the bits of the integer scale that float samples have; None if full scale is ±1, as it should be.

    `places` are blocks from all over the recording. `everything` is read only if they do not decide it, as in silence.
    """
    peak = max((float(np.abs(block).max(initial=0)) for block in places), default=0.0)
    if INAUDIBLE < peak <= 1:
        return None
    return _Levels(everything()).bits


def rescale(recording: Recording, bits: int | None) -> None:
    """Scale a recording to full scale ±1 and add a warning, if `find_bits` found a number of `bits`."""
    if bits is not None:
        recording.gain = 1 / INTEGER_SCALES[bits]
        text = f"float samples have the scale of {bits}-bit integers instead of ±1: divided by 2^{bits - 1}"
        recording.warnings.append(text)


class _Levels:
    """Counts the samples of a recording beyond each level, and checks whether all are whole numbers."""

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
        """See `find_bits`. Sound of whole numbers, not only -1, 0 and 1, comes from integers, however soft it is."""
        audible, beyond_one, overload, *beyond_integers = self._beyond.tolist()
        if not (overload or (self._whole and beyond_one)) or beyond_one < MIN_SHARE * audible:
            return None
        for bits, beyond in zip(INTEGER_SCALES, beyond_integers, strict=True):
            if beyond <= MAX_BEYOND_SHARE * audible:
                return bits
        return None
