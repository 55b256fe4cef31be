"""What every executor offers, and the check that every executor makes before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, dtype and shape of a tensor; a dimension that may vary is None."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    def check(self, array: NDArray[Any]) -> None:
        """Raise `ValueError` naming tensor, expected and got where `array` does not fit."""
        fits = len(array.shape) == len(self.shape) and all(
            want is None or want == got for want, got in zip(self.shape, array.shape, strict=True)
        )
        if array.dtype != self.dtype or not fits:
            want = ", ".join("any" if size is None else str(size) for size in self.shape)
            raise ValueError(
                f"tensor {self.name!r}: expected {self.dtype} [{want}], got {array.dtype} {list(array.shape)}"
            )


class Executor(Protocol):
    """A loaded graph on one device. Not thread-safe: one caller at a time."""

    @property
    def inputs(self) -> Sequence[TensorSpec]: ...

    @property
    def outputs(self) -> Sequence[TensorSpec]: ...

    @property
    def device(self) -> str:
        """What it runs on, as the record shows it, e.g. `cpu (int8)`."""
        ...

    def run(self, inputs: Arrays) -> Arrays:
        """Run once. Raises `ValueError` where an input is missing, unknown or misshapen."""
        ...

    def close(self) -> None:
        """Give back everything the device holds for this graph."""
        ...


def check_inputs(specs: Sequence[TensorSpec], inputs: Arrays) -> None:
    """Raise `ValueError` unless `inputs` are just the tensors of `specs`, each as it should be."""
    expected = {spec.name for spec in specs}
    if expected != set(inputs):
        raise ValueError(f"expected the inputs {sorted(expected)}, got {sorted(inputs)}")
    for spec in specs:
        spec.check(inputs[spec.name])
