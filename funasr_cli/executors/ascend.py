"""Ascend NPUs as an executor: OM files over pyACL."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import DeviceError, DeviceLost, ModelError
from funasr_cli.executors.acl import AscendDevice
from funasr_cli.executors.base import check_inputs, padded
from funasr_cli.executors.offline_model import Buffer, OfflineModel, OmTensor, make_dataset

ND = 2  # aclFormat

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gear:
    """One of the shapes that a model was compiled for: the inputs of a run are padded to it."""

    dims: Shape
    inputs: Sequence[TensorSpec]
    outputs: Sequence[Shape]


class AscendExecutor:
    """An OM on one NPU. Inputs shorter than a fixed dimension are padded with zeros; outputs are not cut.

    An OM with gears is run at the smallest that the inputs fit into; one with free dimensions as long as they are. The
    caller gives and gets float32 where the device has half floats.

    A run is started with `execute_async` and waited for, because the waiting lets other threads of Python go on, and
    may have a limit; `execute` does neither. Copies come before and after it, by calls that wait. To overlap them with
    a run would take a second set of buffers, another stream and events, and save well under a millisecond a window of
    a graph that ends in TopK; and a run that hangs would leave a copy under way into memory that has to be given back.
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

    def run(self, inputs: Arrays) -> Arrays:
        """Run once. Raises `ValueError` where an input does not fit, `DeviceLost` where the device fails or hangs."""
        if self._npu.lost:
            raise DeviceLost(f"NPU {self._npu.index} failed in an earlier run")
        gear = self._gear_for(inputs)
        specs = gear.inputs if gear else self.inputs
        fitted = {spec.name: padded(inputs[spec.name], spec) for spec in specs if spec.name in inputs}
        check_inputs(specs, {**inputs, **fitted})
        self._check_length(fitted)
        return self._run(fitted, gear)

    def recover(self) -> None:
        """After `DeviceLost`: give back what is on the device, reset it, and load the model again.

        Raises `DeviceError` where the device does not come back. A device that hangs may hang in this as well: let
        another process watch over the time it takes.
        """
        self._npu.enter()
        self._held.close()
        self._npu.reset()
        try:
            self._open()
        except BaseException as error:
            self._npu.lost = True  # there is nothing to run, and the memory of the last model is gone
            if isinstance(error, ModelError):  # which could be loaded before
                raise DeviceError(f"NPU {self._npu.index} does not take the model again: {error.what}") from error
            raise

    def close(self) -> None:
        self._inputs.clear()
        self._outputs.clear()
        with ExitStack() as rest:
            rest.callback(self._npu.close)
            self._npu.enter()
            self._held.close()

    def _open(self) -> None:
        """Load the model, and allocate all memory that runs need."""
        npu = self._npu
        with ExitStack() as held:
            self._stream = npu.acl.do("rt.create_stream")
            held.callback(npu.release, "rt.destroy_stream", self._stream, waits=True)
            self._model = model = OfflineModel(npu, self._path, held)
            self._inputs = [self._buffer(tensor, held) for tensor in model.inputs]
            self._outputs = [self._buffer(tensor, held) for tensor in model.outputs]
            self._datasets: tuple[int, int] | None = None
            if all(tensor.size for tensor in [*model.inputs, *model.outputs]):
                choice = [Buffer(npu, model.gear_input.size, held)] if model.gear_input else []
                self._datasets = self._make_datasets(
                    [(buffer.address, buffer.size) for buffer in [*self._inputs, *choice]], held
                )
            self._gears = [self._gear(dims) for dims in model.gears]
            self._held = held.pop_all()

    def _buffer(self, tensor: OmTensor, held: ExitStack) -> Buffer:
        size = tensor.room(self._longest)
        if None not in tensor.shape and size < tensor.bytes_of([length or 0 for length in tensor.shape]):
            raise ModelError(f"the OM says {size} bytes of {tensor.name!r}, too few for its shape", where=self._path)
        return Buffer(self._npu, size, held)

    def _make_datasets(self, inputs: Sequence[tuple[int, int]], held: ExitStack) -> tuple[int, int]:
        npu, outputs = self._npu, [(buffer.address, buffer.size) for buffer in self._outputs]
        datasets = make_dataset(npu, inputs, held), make_dataset(npu, outputs, held)
        # The first thing that is done when they are given back: wait for a run that an interrupt may have left behind.
        held.callback(npu.release, "rt.synchronize_stream_with_timeout", self._stream, self._limit, waits=True)
        return datasets

    def _gear(self, dims: Shape) -> Gear:
        """The shapes of inputs and outputs at the gear `dims`."""
        assert self._datasets is not None  # an OM with gears states all sizes, those of its largest
        self._model.select(self._datasets[0], dims)
        row = iter(dims)
        inputs = [
            TensorSpec(tensor.name, tensor.spec.dtype, tuple(islice(row, len(tensor.shape))))
            for tensor in self._model.inputs
        ]
        return Gear(dims, inputs, [self._model.output_shape(index) for index in range(len(self._model.outputs))])

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

    def _run(self, inputs: Arrays, gear: Gear | None) -> Arrays:
        self._npu.enter()
        used = []
        for tensor, buffer in zip(self._model.inputs, self._inputs, strict=True):
            array = inputs[tensor.name]
            count = tensor.bytes_of(array.shape)
            np.copyto(buffer.host[:count].view(tensor.dtype).reshape(array.shape), array, casting="same_kind")
            buffer.upload(count)
            used.append((buffer.address, count))
        with ExitStack() as held:
            given, made = self._datasets or self._make_datasets(used, held)
            if gear:
                self._model.select(given, gear.dims)
            elif not self._datasets:
                self._describe(given, inputs, held)
            self._npu.do("mdl.execute_async", self._model.id, given, made, self._stream)
            self._npu.do("rt.synchronize_stream_with_timeout", self._stream, self._limit)
            shapes = gear.outputs if gear else self._shapes(made)
            return {
                tensor.name: self._result(tensor, buffer, shape)
                for tensor, buffer, shape in zip(self._model.outputs, self._outputs, shapes, strict=True)
            }

    def _describe(self, dataset: int, inputs: Arrays, held: ExitStack) -> None:
        """Tell the runtime the shapes of a run of a model with free dimensions."""
        acl = self._npu.acl
        for index, tensor in enumerate(self._model.inputs):
            shape = list(inputs[tensor.name].shape)
            desc = acl.make("create_tensor_desc", 0, shape, ND)  # dtype and format are the model's, whatever is said
            held.callback(acl.ask, "destroy_tensor_desc", desc)
            acl.do("mdl.set_dataset_tensor_desc", dataset, desc, index)

    def _shapes(self, dataset: int) -> list[Shape]:
        """The shapes of the outputs of the run that filled `dataset`."""
        if self._datasets:
            return [tuple(length or 0 for length in tensor.shape) for tensor in self._model.outputs]
        acl = self._npu.acl
        descs = [acl.make("mdl.get_dataset_tensor_desc", dataset, index) for index in range(len(self._outputs))]
        return [
            tuple(
                acl.do("get_tensor_desc_dim_v2", desc, axis)
                for axis in range(acl.ask("get_tensor_desc_num_dims", desc))
            )
            for desc in descs
        ]

    def _result(self, tensor: OmTensor, buffer: Buffer, shape: Shape) -> NDArray[Any]:
        count = math.prod(shape) * tensor.dtype.itemsize
        buffer.download(count)
        array: NDArray[Any] = buffer.host[:count].view(tensor.dtype).reshape(shape)
        return array.astype(tensor.spec.dtype)  # a copy: the next run writes into the same memory
