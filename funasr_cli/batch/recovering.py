"""What is done when a device fails in a run: reset, once more, and then the CPU where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import DeviceError
from funasr_cli.executors.base import Executor

ON_THE_CPU = "from here on the CPU does its work, as --on-device-failure says"

Tell = Callable[[str], object]
"""Told what happened to the device, for people."""


class Recoverable(Executor, Protocol):
    """An executor whose device may fail in a run."""

    def recover(self) -> None:
        """After `DeviceLost`, make runs possible again. Raises `DeviceError` where the device does not come back."""
        ...


class RecoveringExecutor:
    """Runs the executor; on the `spare`, from then on, once the device has failed for good."""

    def __init__(self, executor: Recoverable, spare: Executor | None, tell: Tell) -> None:
        """Raises `DeviceError` where the spare takes or gives other tensors."""
        if spare is not None and _names(spare) != _names(executor):
            raise DeviceError(
                "the graph for --on-device-failure cpu has other inputs or outputs than the one on the NPU",
                hint="Compile the graph itself: funasr-cli convert without --logits and --gears.",
            )
        self._npu: Recoverable | None = executor
        self._spare = spare
        self._current: Executor = executor
        self._tell = tell
        self.inputs: Sequence[TensorSpec] = executor.inputs
        self.outputs: Sequence[TensorSpec] = executor.outputs

    @property
    def device(self) -> str:
        return self._current.device

    def run(self, inputs: Arrays) -> Arrays:
        """Run once. Raises `DeviceLost` where it fails on a device that was reset, too; the next run may go well.

        Raises `DeviceError` where the device does not come back: another process may have more luck.
        """
        if self._npu is None:
            return self._current.run(inputs)
        try:
            return self._npu.run(inputs)
        except DeviceError as error:
            self._tell(f"{error.what}; the device is reset, and the window run again")
        try:
            self._npu.recover()
            return self._npu.run(inputs)
        except DeviceError as error:
            if self._spare is None:
                raise
            self._tell(f"{error.what}; {ON_THE_CPU}")
            with suppress(DeviceError):  # what it still holds goes with the process
                self._npu.close()
            self._npu, self._current = None, self._spare
            return self._current.run(inputs)

    def close(self) -> None:
        for executor in (self._npu, self._spare):
            if executor is not None:
                executor.close()


def _names(executor: Executor) -> tuple[set[str], set[str]]:
    return {spec.name for spec in executor.inputs}, {spec.name for spec in executor.outputs}
