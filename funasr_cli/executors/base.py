"""What every executor offers, and what executors do to inputs before they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays, TensorSpec


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


def padded(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """`array`, with zeros behind it where `spec` fixes a dimension that is longer; any other misfit stays one."""
    if len(array.shape) != len(spec.shape):
        return array
    lacking = [max(0, (want or 0) - got) for want, got in zip(spec.shape, array.shape, strict=True)]
    return np.pad(array, [(0, size) for size in lacking]) if any(lacking) else array


def check_inputs(specs: Sequence[TensorSpec], inputs: Arrays) -> None:
    """Raise `ValueError` unless `inputs` are just the tensors of `specs`, each as it should be."""
    expected = {spec.name for spec in specs}
    if expected != set(inputs):
        raise ValueError(f"expected the inputs {sorted(expected)}, got {sorted(inputs)}")
    for spec in specs:
        spec.check(inputs[spec.name])
