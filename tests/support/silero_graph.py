"""Silero v6 as its authors publish it, in ONNX Runtime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Samples
from funasr_cli.audio.silero import CONTEXT_SAMPLES, FRAME_SAMPLES, HIDDEN, silero_path
from funasr_cli.system.onnx_sessions import make_session


class SileroGraph:
    """Replaces a `SileroModel`: runs the published graph, from whose file that reads its weights."""

    def __init__(self) -> None:
        self._session = make_session(silero_path(), threads=1, arena=False)
        self._h = np.zeros((1, 1, HIDDEN), np.float32)
        self._c = np.zeros((1, 1, HIDDEN), np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)

    def probabilities(self, frames: Samples) -> NDArray[np.float32]:
        """Compute the speech probability of each frame in `frames` (`[n × 512]`), float32 `[n]`."""
        rows = frames.reshape(-1, FRAME_SAMPLES)
        context = np.vstack([self._context, rows[:-1, -CONTEXT_SAMPLES:]])
        self._context = rows[-1, -CONTEXT_SAMPLES:].copy()
        feed = {"input": np.hstack([context, rows]), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._session.run(None, feed)
        return np.asarray(probabilities, np.float32).reshape(-1)
