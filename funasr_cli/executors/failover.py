"""Handle a device that fails in a run: reset it, try once more, then use the CPU if that is allowed."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.callbacks import Tell
from funasr_cli.errors import DeviceError, ModelError
from funasr_cli.executors.base import Executor, Fetch, failed

logger = logging.getLogger(__name__)

CPU_TAKES_OVER = "the CPU takes over from here (--on-device-failure cpu)"


class Recoverable(Executor, Protocol):
    """An executor whose device may fail in a run."""

    def recover(self) -> None:
        """Make runs possible again after `DeviceLost`. Raises `DeviceError` if the device cannot be recovered."""
        ...


class FailoverExecutor:
    """Runs the executor; once its device has failed for good, runs the `spare` instead."""

    def __init__(self, executor: Recoverable, spare: Executor | None, tell: Tell) -> None:
        """Raise `ModelError` if the spare has other inputs or outputs than the executor."""
        if spare is not None and _names(spare) != _names(executor):
            raise ModelError(
                "the graph for --on-device-failure cpu has other inputs or outputs than the one on the NPU",
                hint="Compile the same graph for the NPU: run funasr-cli convert without --logits and --gears.",
            )
        self._npu: Recoverable | None = executor
        self._spare = spare
        self._current: Executor = executor
        self._tell = tell
        self._under_way: deque[_Run] = deque()
        self.inputs: Sequence[TensorSpec] = executor.inputs
        self.outputs: Sequence[TensorSpec] = executor.outputs

    @property
    def device(self) -> str:
        return self._current.device

    def run(self, inputs: Arrays) -> Arrays:
        """Run once; raises the same errors as `begin`."""
        return self.begin(inputs)()[0]

    def begin(self, inputs: Arrays) -> Fetch:
        """Begin a run. `inputs` must not change until it is fetched, because the run may be repeated.

        Fetching raises `DeviceLost` if the run also fails after a reset of the device; the next run may succeed. It
        raises `DeviceError` if the device cannot be recovered; another process may still be able to use it.
        """
        run = _Run(inputs, self._begin(inputs))
        self._under_way.append(run)
        return partial(self._fetch, run)

    def _begin(self, inputs: Arrays) -> Fetch:
        try:
            return self._current.begin(inputs)
        except DeviceError as error:  # earlier runs are fetched before the device is reset
            return failed(error)

    def _fetch(self, run: _Run) -> tuple[Arrays, float]:
        assert run is self._under_way[0]
        try:
            return run.fetch()
        except DeviceError as error:
            if self._npu is None:
                raise
            return self._once_more(self._npu, run, error)
        finally:
            self._under_way.popleft()

    def _once_more(self, npu: Recoverable, run: _Run, error: DeviceError) -> tuple[Arrays, float]:
        logger.debug("a run failed", exc_info=error)
        self._tell(f"{error.what}; resetting the device and running the window again")
        try:
            npu.recover()
            return self._alone(run)
        except DeviceError as again:
            if self._spare is None:
                raise
            self._tell(f"{again.what}; {CPU_TAKES_OVER}")
            with suppress(DeviceError):  # the end of the process releases what it still holds
                npu.close()
            self._npu, self._current = None, self._spare
            return self._alone(run)

    def _alone(self, run: _Run) -> tuple[Arrays, float]:
        """Repeat the run before any other, which might make the device fail again; then begin the others anew."""
        try:
            return self._current.begin(run.inputs)()
        finally:
            for other in self._under_way:
                if other is not run:
                    other.fetch = self._begin(other.inputs)

    def close(self) -> None:
        for executor in (self._npu, self._spare):
            if executor is not None:
                executor.close()


@dataclass(slots=True)
class _Run:
    inputs: Arrays
    fetch: Fetch


def _names(executor: Executor) -> tuple[set[str], set[str]]:
    return {spec.name for spec in executor.inputs}, {spec.name for spec in executor.outputs}
