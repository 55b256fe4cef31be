"""Kaldi's log-mel filter banks with the settings of FunASR's front end, for a whole clip at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import SAMPLE_RATE, Samples

FRAME = SAMPLE_RATE * 25 // 1000
SHIFT = SAMPLE_RATE * 10 // 1000
FFT = 512
"""Length of the FFT: a frame, padded to a power of two."""

MELS = 80
LOW_HZ, HIGH_HZ = 20.0, SAMPLE_RATE / 2
PREEMPHASIS = 0.97
FULL_SCALE = 32768.0
"""Kaldi expects samples on the scale of 16-bit integers."""

FLOOR = float(np.finfo(np.float32).eps)
"""Least energy of a band (Kaldi, feature-fbank.cc), so that silence has a logarithm."""

HALF = FRAME // 2
LOW_MELS = 46
"""Bands with triangles in the lowest bins. Computing the others separately skips most zeros of the triangles."""

BLOCK = 128
"""Frames processed at once, so that intermediate results stay in the processor's cache."""

Matrix = NDArray[np.float32]


def fbank(samples: Samples) -> Matrix:
    """Compute log-mel energies, float32 `[frames, 80]`, one frame of 25 ms every 10 ms, without padding (snip_edges).

    Without dither. A clip shorter than 25 ms is padded with zeros to that length. Like Kaldi's, the result is float32:
    bands 60 dB below the others are accurate to about 5e-4.
    """
    if len(samples) < FRAME:
        samples = np.concatenate([samples, np.zeros(FRAME - len(samples), np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::SHIFT]
    energies = np.empty((len(frames), MELS), np.float32)
    for start in range(0, len(frames), BLOCK):
        power = _power(frames[start : start + BLOCK])
        for bins, mels, bank in _mel_banks():
            np.matmul(power[:, bins], bank, out=energies[start : start + BLOCK, mels])
    return np.log(np.maximum(energies, FLOOR, out=energies), out=energies)


def _power(frames: Matrix) -> Matrix:
    """Compute power spectra `[n, 256]` of frames `[n, 400]`.

    The window is symmetric: two samples at the same distance before and after the middle of a frame have the same
    cosine in a spectrum, and sines of opposite sign. So two products of half the size, the sums with the cosines and
    the differences with the sines, give what an FFT gives; NumPy's FFT takes longer.
    """
    centred = frames.copy()
    centred -= centred.mean(axis=1, keepdims=True)
    sharp = np.empty_like(centred)
    np.multiply(centred[:, :-1], -PREEMPHASIS, out=sharp[:, 1:])
    np.multiply(centred[:, 0], -PREEMPHASIS, out=sharp[:, 0])
    sharp += centred
    first, second = np.ascontiguousarray(sharp[:, HALF - 1 :: -1]), sharp[:, HALF:]
    cosines, sines = _folded_dft()
    real, imaginary = (second + first) @ cosines, (second - first) @ sines
    power: Matrix = np.square(real, out=real)
    power += np.square(imaginary, out=imaginary)
    return power


@cache
def _folded_dft() -> tuple[Matrix, Matrix]:
    """Return the DFT for sums and for differences of the samples 0.5, 1.5, … before and after the middle of a frame.

    Both are float32 `[200, 256]`, with a Hamming window and scaled to 16-bit samples. The phase refers to the middle:
    no power depends on it.
    """
    distance = np.arange(HALF)[:, np.newaxis] + 0.5
    window = FULL_SCALE * (0.54 + 0.46 * np.cos(2 * np.pi * distance / (FRAME - 1)))
    phase = 2 * np.pi * distance * np.arange(FFT // 2) / FFT
    return (window * np.cos(phase)).astype(np.float32), (window * np.sin(phase)).astype(np.float32)


@cache
def _mel_banks() -> Sequence[tuple[slice, slice, Matrix]]:
    """Return bins, bands and the matching part of `_mel_bank`, which together cover everything that is not zero."""
    bank = _mel_bank()
    banks = []
    for mels in (slice(LOW_MELS), slice(LOW_MELS, MELS)):
        used = np.flatnonzero(bank[:, mels].any(axis=1))
        bins = slice(int(used[0]), int(used[-1]) + 1)
        banks.append((bins, mels, np.ascontiguousarray(bank[bins, mels])))
    return banks


def _mel_bank() -> Matrix:
    """Triangles of equal width on the mel scale (Kaldi, mel-computations.cc), float32 `[256, 80]`.

    As in Kaldi, the Nyquist bin is left out.
    """
    low, high = _mel(np.array([LOW_HZ, HIGH_HZ]))
    edges = np.linspace(low, high, MELS + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    bins = _mel(np.arange(FFT // 2) * SAMPLE_RATE / FFT)[:, np.newaxis]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log(1.0 + hertz / 700.0))
