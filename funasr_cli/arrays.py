"""The arrays that are handed from room to room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
"""Samples a second of everything behind the decoder."""

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio at `SAMPLE_RATE`, float32 `[n]`, full scale ±1."""

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""Named arrays: the inputs or the outputs of one run of a graph."""
