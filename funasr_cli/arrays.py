"""Types of the arrays that packages exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
"""Samples per second of all audio once it is decoded."""

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio at `SAMPLE_RATE`, float32 `[n]`, full scale ±1."""

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""Named arrays: the inputs or outputs of one run of a graph."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, dtype and shape of a tensor; a variable dimension is None."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    def check(self, array: NDArray[Any]) -> None:
        """Raise `ValueError` if `array` does not fit; it names the tensor and the expected and actual types."""
        fits = len(array.shape) == len(self.shape) and all(
            want is None or want == got for want, got in zip(self.shape, array.shape, strict=True)
        )
        if array.dtype != self.dtype or not fits:
            want = ", ".join("any" if size is None else str(size) for size in self.shape)
            raise ValueError(
                f"tensor {self.name!r}: expected {self.dtype} [{want}], got {array.dtype} {list(array.shape)}"
            )
