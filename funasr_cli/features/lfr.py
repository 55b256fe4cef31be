"""Low frame rate: FunASR's models read seven frames of 10 ms at a time, every sixth frame."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

STACKED: Final = 7
STEP: Final = 6
SECONDS_PER_FRAME: Final = 0.06


def stack_frames(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stack `[n, d]`, n ≥ 1, 10 ms a frame, to float32 `[ceil(n / 6), 7 d]`, 60 ms a frame.

    Row i holds the frames 6 i − 3 to 6 i + 3; the first and the last frame are repeated beyond the ends.
    """
    count = -(-len(frames) // STEP)
    wanted = np.arange(count)[:, np.newaxis] * STEP + np.arange(STACKED) - STACKED // 2
    stacked: NDArray[np.float32] = frames[wanted.clip(0, len(frames) - 1)].reshape(count, -1)
    return stacked
