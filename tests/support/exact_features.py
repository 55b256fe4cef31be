"""FunASR's front end written directly from Kaldi's definitions, in float64: the reference for float32."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Samples


def exact_fbank(samples: Samples) -> NDArray[np.float64]:
    """Compute log-mel energies `[frames, 80]`, frame by frame and band by band."""
    bank = np.array([[triangle(band, bin_) for bin_ in range(256)] for band in range(80)])
    window = np.array([0.54 - 0.46 * math.cos(2 * math.pi * n / 399) for n in range(400)])
    rows = []
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(np.float64) * 32768
        frame -= frame.mean()
        emphasised = frame - 0.97 * np.array([frame[0], *frame[:-1]])
        power = np.abs(np.fft.fft(emphasised * window, 512)[:256]) ** 2
        rows.append(np.log(np.maximum(bank @ power, 2**-23)))
    return np.array(rows)


def triangle(band: int, bin_: int) -> float:
    """Return the weight of an FFT bin in a mel band."""
    low, high = mel(20.0), mel(8000.0)
    left, centre, right = (low + (band + i) * (high - low) / 81 for i in range(3))
    at = mel(bin_ * 16000 / 512)
    return max(0.0, min((at - left) / (centre - left), (right - at) / (right - centre)))


def mel(hertz: float) -> float:
    return 1127.0 * math.log(1.0 + hertz / 700.0)
