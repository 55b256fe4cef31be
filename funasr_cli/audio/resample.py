"""Streaming resampling of mono audio to 16 kHz with FFmpeg's resampler, through PyAV."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples


class Resampler:
    """Converts blocks of one sample rate to 16 kHz; the result does not depend on the block sizes."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._resampler = None
        if rate != SAMPLE_RATE:
            self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)

    def push(self, block: Samples) -> Samples:
        """Add a block (float32 `[n]` at `rate`) and return the 16 kHz audio that is ready."""
        if self._resampler is None or not len(block):
            return block
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[np.newaxis]), format="fltp", layout="mono")
        frame.sample_rate = self.rate
        return _concatenate(self._resampler.resample(frame))

    def flush(self) -> Samples:
        """Return what the filter still holds at the end of the recording."""
        if self._resampler is None:
            return np.empty(0, np.float32)
        return _concatenate(self._resampler.resample(None))


def _concatenate(frames: Iterable[av.AudioFrame]) -> Samples:
    """Return the samples of mono frames as one array."""
    blocks = [frame.to_ndarray()[0] for frame in frames]
    return blocks[0] if len(blocks) == 1 else np.concatenate([np.empty(0, np.float32), *blocks])
