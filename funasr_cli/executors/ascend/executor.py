"""Ascend NPUs as an executor: OM files over pyACL."""

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

logger = logging.getLogger(__name__)


class AscendExecutor:
    """An OM on one NPU. Inputs shorter than a fixed dimension are padded with zeros; outputs are not cut.

    An OM with gears is run at the smallest that the inputs fit into; one with free dimensions as long as they are. The
    caller gives and gets float32 where the device has half floats.

    Of two windows that are begun, one is run; the other is on the device already, and started as soon as that one has
    ended, before its outputs are copied. So between two runs there is nothing but the call that starts the second. One
    stream is enough for that, without events: a run is waited for before the next is started, and copies are calls that
    wait, to and from memory that the run under way does not have. A run that fails takes no other with it.

    A run is started with `execute_async` and waited for, because the waiting lets other threads of Python go on, and
    may have a limit; `execute` does neither.
    """

    def __init__(self, find: Callable[[str], Path], *, longest: int, npu: int = 0, time_limit: float = 30.0) -> None:
        """`find` gives the OM for a SoC, e.g. `Ascend310P3`; `npu` counts as ASCEND_RT_VISIBLE_DEVICES has it.

        `longest` is what a dimension that an OM leaves free may come to, in inputs and outputs: memory is allocated for
        it once. `time_limit` is in seconds, for a run; the first one loads kernels, and takes longer than others.

        Raises `DeviceError` where the NPU cannot be used, `ModelError` where the OM cannot be loaded on it, and what
        `find` raises.
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
        """Copy a window to the device, and start it if no other runs; two at most may be begun.

        Raises `ValueError` where an input does not fit, `DeviceLost` where the device has failed; what is returned
        raises `DeviceError` where the run cannot be started, `DeviceLost` where the device fails or hangs in it.
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
        """Run one window; the same errors as those of `begin`."""
        return self.begin(inputs)()[0]

    def recover(self) -> None:
        """After `DeviceLost`: give back what is on the device, reset it, and load the model again.

        Windows that were begun are forgotten. Raises `DeviceError` where the device does not come back. A device that
        hangs may hang in this as well: let another process watch over the time it takes.
        """
        self._npu.enter()
        try:
            with suppress(DeviceError):  # what is not given back goes with the reset
                self._held.close()
            self._npu.reset()
            self._open()
        except BaseException as error:
            self._npu.lose("it did not take the model again")  # there is nothing to run, and its memory is gone
            if isinstance(error, ModelError):  # which could be loaded before
                raise DeviceError(f"NPU {self._npu.index} does not take the model again: {error.what}") from error
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
            self._begun: deque[WindowBuffers] = deque()  # the first is run, or was
            self._gears = [self._window_buffers[0].gear(dims) for dims in self._model.gears]
            # Done first when all is given back: wait for a run that an interrupt may have left behind.
            held.callback(npu.release, WAIT, self._stream, self._limit, waits=True)
            self._held = held.pop_all()
        logger.debug("%s is loaded on NPU %d", self._path, npu.index)

    def _fetch(self, buffers: WindowBuffers) -> tuple[Arrays, float]:
        """Wait for the window that was begun first, and start the other."""
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
        """Wait for the run that was started; returns what concerns it alone. Raises `DeviceLost`."""
        try:
            self._npu.do(WAIT, self._stream, self._limit)
        except DeviceLost:
            raise
        except DeviceError as error:
            try:  # if it was the wait that failed, the run is still under way
                self._npu.do(WAIT, self._stream, self._limit)
            except DeviceError:
                self._npu.lose(error.what)
                self._npu.check()
            return error
        return None

    def _output_specs(self) -> list[TensorSpec]:
        """The outputs; what differs between gears is free."""
        specs = [tensor.spec for tensor in self._model.outputs]
        if not self._gears:
            return specs
        shapes = zip(*(gear.outputs for gear in self._gears), strict=True)
        return [
            TensorSpec(spec.name, spec.dtype, tuple(s[0] if len({*s}) == 1 else None for s in zip(*at, strict=True)))
            for spec, at in zip(specs, shapes, strict=True)
        ]

    def _gear_for(self, inputs: Arrays) -> Gear | None:
        """The smallest gear that holds the inputs; the largest where none does, against which the misfit is told."""

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
                raise ValueError(f"tensor {spec.name!r}: free dimensions may be {self._longest} at most, got {shape}")
