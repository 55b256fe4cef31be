"""What every executor offers, and what executors do to inputs before they run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays, TensorSpec

Fetch: TypeAlias = Callable[[], tuple[Arrays, float]]
"""Waits for a run that was begun, and gives its outputs and the seconds that it took."""


class Executor(Protocol):
    """A loaded graph on one device. On a CPU, `run` may be called from several threads at a time; else one calls."""

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

    def begin(self, inputs: Arrays) -> Fetch:
        """Begin a run. A second may be begun before the first is fetched, and is fetched after it; then a device is
        not kept waiting by what goes on around its runs. Both calls raise as `run` does.
        """
        ...

    def close(self) -> None:
        """Give back everything the device holds for this graph."""
        ...


def when_fetched(run: Callable[[Arrays], Arrays], inputs: Arrays) -> Fetch:
    """`begin` for where there is nothing to overlap with: the run is made when it is fetched."""

    def fetch() -> tuple[Arrays, float]:
        started = time.perf_counter()
        outputs = run(inputs)
        return outputs, time.perf_counter() - started

    return fetch


def failed(error: Exception) -> Fetch:
    """A run that could not be begun, which is told in its turn: when it is fetched."""

    def fetch() -> NoReturn:
        raise error

    return fetch


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
