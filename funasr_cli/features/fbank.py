"""Kaldi's log-mel filter banks with the settings of FunASR's front end, a whole clip at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import SAMPLE_RATE, Samples

FRAME = SAMPLE_RATE * 25 // 1000
SHIFT = SAMPLE_RATE * 10 // 1000
FFT = 512
"""The frame, padded to a power of two."""

MELS = 80
LOW_HZ, HIGH_HZ = 20.0, SAMPLE_RATE / 2
PREEMPHASIS = 0.97
FULL_SCALE = 32768.0
"""Kaldi works on 16-bit integers."""

FLOOR = float(np.finfo(np.float32).eps)
"""Least energy of a band (Kaldi, feature-fbank.cc), so that silence has a logarithm."""

BLOCK = 128
"""Frames worked on at once: their spectra stay in the processor's cache."""

Matrix = NDArray[np.float32]


def fbank(samples: Samples) -> Matrix:
    """Log-mel energies, float32 `[frames, 80]`, 10 ms a frame, each of 25 ms; nothing is padded (snip_edges).

    No dither. A clip of less than 25 ms is taken as followed by zeros up to that length. In float32 like Kaldi's: bands
    with 60 dB less than the others are right to about 5e-4, there as here.
    """
    if len(samples) < FRAME:
        samples = np.concatenate([samples, np.zeros(FRAME - len(samples), np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::SHIFT]
    energies = np.empty((len(frames), MELS), np.float32)
    padded = np.zeros((BLOCK, FFT), np.float32)
    for start in range(0, len(frames), BLOCK):
        rows = frames[start : start + BLOCK]
        centred = rows - rows.mean(axis=1, keepdims=True)
        block = padded[: len(rows)]
        block[:, 1:FRAME] = centred[:, 1:] - PREEMPHASIS * centred[:, :-1]
        block[:, 0] = (1 - PREEMPHASIS) * centred[:, 0]
        block[:, :FRAME] *= _window()
        spectrum = np.fft.rfft(block)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
        np.matmul(power[:, :-1], _mel_bank(), out=energies[start : start + BLOCK])
    return np.log(np.maximum(energies, FLOOR, out=energies), out=energies)


@cache
def _window() -> Matrix:
    """Hamming window of a frame, scaled to 16-bit samples."""
    phase = 2 * np.pi * np.arange(FRAME) / (FRAME - 1)
    return np.asarray(FULL_SCALE * (0.54 - 0.46 * np.cos(phase)), np.float32)


@cache
def _mel_bank() -> Matrix:
    """Triangles of equal width on the mel scale (Kaldi, mel-computations.cc), float32 `[256, 80]`.

    The Nyquist bin, which Kaldi leaves out, is not among the rows.
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
