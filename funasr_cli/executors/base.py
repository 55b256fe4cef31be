"""The interface of executors, and how they prepare inputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays, TensorSpec

Fetch: TypeAlias = Callable[[], tuple[Arrays, float]]
"""Waits for a run that was begun, and returns its outputs and its duration in seconds."""


class Executor(Protocol):
    """A loaded graph on one device. On a CPU, several threads may call `run` at a time; on other devices only one."""

    @property
    def inputs(self) -> Sequence[TensorSpec]: ...

    @property
    def outputs(self) -> Sequence[TensorSpec]: ...

    @property
    def device(self) -> str:
        """The device as shown in the manifest, e.g. `cpu (int8)`."""
        ...

    def run(self, inputs: Arrays) -> Arrays:
        """Run once. Raises `ValueError` if an input is missing, unknown or has the wrong shape."""
        ...

    def begin(self, inputs: Arrays) -> Fetch:
        """Begin a run.

        A second run may be begun before the first is fetched, so that the device does not wait for work around its
        runs; runs are fetched in order. Both calls raise as `run` does.
        """
        ...

    def close(self) -> None:
        """Release everything the device holds for this graph."""
        ...


def when_fetched(run: Callable[[Arrays], Arrays], inputs: Arrays) -> Fetch:
    """Implement `begin` for a device without overlap: run when the result is fetched."""

    def fetch() -> tuple[Arrays, float]:
        started = time.perf_counter()
        outputs = run(inputs)
        return outputs, time.perf_counter() - started

    return fetch


def failed(error: Exception) -> Fetch:
    """Return a run that could not be begun: the error is raised when it is fetched, in order."""

    def fetch() -> NoReturn:
        raise error

    return fetch


def padded(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Pad `array` with zeros where `spec` fixes a longer dimension; any other mismatch is left as it is."""
    if len(array.shape) != len(spec.shape):
        return array
    lacking = [max(0, (want or 0) - got) for want, got in zip(spec.shape, array.shape, strict=True)]
    return np.pad(array, [(0, size) for size in lacking]) if any(lacking) else array


def check_inputs(specs: Sequence[TensorSpec], inputs: Arrays) -> None:
    """Raise `ValueError` unless `inputs` are exactly the tensors of `specs`, with matching types and shapes."""
    expected = {spec.name for spec in specs}
    if expected != set(inputs):
        raise ValueError(f"expected the inputs {sorted(expected)}, got {sorted(inputs)}")
    for spec in specs:
        spec.check(inputs[spec.name])
