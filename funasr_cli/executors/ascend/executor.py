"""Executor for Ascend NPUs: runs OM files through pyACL."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import DeviceError, DeviceLost, ModelError
from funasr_cli.executors.ascend.buffers import Gear, WindowBuffers
from funasr_cli.executors.ascend.device import WAIT, AscendDevice
from funasr_cli.executors.ascend.model import OmModel
from funasr_cli.executors.base import Fetch, check_inputs, padded
from funasr_cli.executors.placement import RUN_LIMIT_S

logger = logging.getLogger(__name__)


class AscendExecutor:
    """An OM on one NPU. Inputs shorter than a fixed dimension are padded with zeros; outputs are not cut.

    An OM with gears is run at the smallest gear that the inputs fit into; one with free dimensions, at the size of the
    inputs. The caller passes and receives float32 where the device has half floats.

    Two windows may be begun. While one is run, the other is already on the device; it is started as soon as the first
    run has ended, before the outputs of that run are copied. So only one call lies between two runs. One stream without
    events is enough: each run is waited for before the next is started, and copies block and use memory that the
    current run does not use. A run that fails does not affect others.

    Runs use `execute_async` and a wait, because the wait lets other Python threads continue and accepts a time limit;
    `execute` does neither.
    """

    def __init__(
        self, find: Callable[[str], Path], *, longest: int, npu: int = 0, time_limit: float = RUN_LIMIT_S
    ) -> None:
        """Open the NPU and load the OM.

        `find` returns the OM for a SoC, e.g. `Ascend310P3`; `npu` is numbered as in ASCEND_RT_VISIBLE_DEVICES.
        `longest` is the maximum of free dimensions in inputs and outputs; memory for it is allocated once. `time_limit`
        of a run is in seconds; the first run loads kernels and takes longer than others.

        Raises `DeviceError` if the NPU cannot be used, `ModelError` if the OM cannot be loaded on it, and the errors of
        `find`.
        """
        self._longest, self._limit = longest, max(1, round(time_limit * 1000))
        self._held = ExitStack()
        with ExitStack() as taken:
            self._npu = AscendDevice(npu)
            taken.callback(self._npu.close)
            self._path = find(self._npu.soc)
            self._open()
            taken.pop_all()
        self.device = f"npu ({self._npu.soc})"
        self.inputs: Sequence[TensorSpec] = (
            self._gears[-1].inputs if self._gears else [tensor.spec for tensor in self._model.inputs]
        )
        self.outputs: Sequence[TensorSpec] = self._output_specs()

    def begin(self, inputs: Arrays) -> Fetch:
        """Copy a window to the device, and start it if no other is running; at most two may be begun.

        Raises `ValueError` if an input does not fit, `DeviceLost` if the device has failed. Fetching raises
        `DeviceError` if the run cannot be started, `DeviceLost` if the device fails or hangs in it.
        """
        self._npu.check()
        gear = self._gear_for(inputs)
        specs = gear.inputs if gear else self.inputs
        fitted = {spec.name: padded(inputs[spec.name], spec) for spec in specs if spec.name in inputs}
        check_inputs(specs, {**inputs, **fitted})
        self._check_length(fitted)
        self._npu.enter()
        buffers = next(buffers for buffers in self._window_buffers if buffers not in self._begun)
        buffers.fill(fitted, gear)
        if not self._begun:
            buffers.start(self._stream)
        self._begun.append(buffers)
        return partial(self._fetch, buffers)

    def run(self, inputs: Arrays) -> Arrays:
        """Run one window; raises the same errors as `begin`."""
        return self.begin(inputs)()[0]

    def recover(self) -> None:
        """Release what is on the device after `DeviceLost`, reset it, and load the model again.

        Windows that were begun are dropped. Raises `DeviceError` if the device cannot be recovered. A device that hangs
        may hang here too, so another process must limit the time this takes.
        """
        self._npu.enter()
        try:
            with suppress(DeviceError):  # the reset frees what is not released
                self._held.close()
            self._npu.reset()
            self._open()
        except BaseException as error:
            self._npu.lose("the model could not be loaded again")  # nothing can be run, and its memory is gone
            if isinstance(error, ModelError):  # the model could be loaded before, so the device is at fault
                raise DeviceError(f"NPU {self._npu.index} cannot load the model again: {error.what}") from error
            raise

    def close(self) -> None:
        with ExitStack() as rest:
            rest.callback(self._npu.close)
            rest.callback(self._held.close)
            self._npu.enter()

    def _open(self) -> None:
        """Load the model, and allocate all memory that runs need."""
        npu = self._npu
        with ExitStack() as held, npu.watched():
            self._stream = npu.acl.do("rt.create_stream")
            held.callback(npu.release, "rt.destroy_stream", self._stream, waits=True)
            self._model = OmModel(npu, self._path, held)
            self._window_buffers = [WindowBuffers(npu, self._model, self._longest, held) for _ in range(2)]
            self._begun: deque[WindowBuffers] = deque()  # the first is running, or has run
            self._gears = [self._window_buffers[0].gear(dims) for dims in self._model.gears]
            # When everything is released, first wait for a run that an interrupt may have left behind.
            held.callback(npu.release, WAIT, self._stream, self._limit, waits=True)
            self._held = held.pop_all()
        logger.debug("%s is loaded on NPU %d", self._path, npu.index)

    def _fetch(self, buffers: WindowBuffers) -> tuple[Arrays, float]:
        """Wait for the window that was begun first, and start the other one."""
        self._npu.check()
        assert buffers is self._begun[0]
        self._npu.enter()
        error = buffers.error or self._wait()
        seconds = time.perf_counter() - buffers.started
        self._begun.popleft()
        if self._begun:
            self._begun[0].start(self._stream)
        try:
            if error is not None:
                raise error
            return buffers.results(), seconds
        finally:
            buffers.clear()

    def _wait(self) -> DeviceError | None:
        """Wait for the current run; return an error that concerns only this run. Raises `DeviceLost`."""
        try:
            self._npu.do(WAIT, self._stream, self._limit)
        except DeviceLost:
            raise
        except DeviceError as error:
            try:  # if only the wait failed, the run is still in progress
                self._npu.do(WAIT, self._stream, self._limit)
            except DeviceError:
                self._npu.lose(error.what)
                self._npu.check()
            return error
        return None

    def _output_specs(self) -> list[TensorSpec]:
        """Return the outputs; dimensions that differ between gears are free."""
        specs = [tensor.spec for tensor in self._model.outputs]
        if not self._gears:
            return specs
        shapes = zip(*(gear.outputs for gear in self._gears), strict=True)
        return [
            TensorSpec(spec.name, spec.dtype, tuple(s[0] if len({*s}) == 1 else None for s in zip(*at, strict=True)))
            for spec, at in zip(specs, shapes, strict=True)
        ]

    def _gear_for(self, inputs: Arrays) -> Gear | None:
        """Return the smallest gear that holds the inputs; if none does, the largest, for the error message."""

        def holds(gear: Gear) -> bool:
            pairs = [(spec.shape, inputs[spec.name].shape) for spec in gear.inputs if spec.name in inputs]
            return all(
                len(room) == len(shape) and all((most or 0) >= size for most, size in zip(room, shape, strict=True))
                for room, shape in pairs
            )

        return next((gear for gear in self._gears if holds(gear)), self._gears[-1] if self._gears else None)

    def _check_length(self, inputs: Arrays) -> None:
        for spec in self.inputs:
            lengths = zip(spec.shape, inputs[spec.name].shape, strict=True)
            if any(want is None and got > self._longest for want, got in lengths):
                shape = list(inputs[spec.name].shape)
                raise ValueError(f"tensor {spec.name!r}: free dimensions may be at most {self._longest}, got {shape}")
