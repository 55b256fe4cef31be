"""Memory for a window on an NPU: inputs and outputs of a run, on the device and on the host."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import DeviceError
from funasr_cli.executors.ascend.device import AscendDevice
from funasr_cli.executors.ascend.model import OmModel, OmTensor, Shape

HUGE_FIRST = 0  # aclrtMemMallocPolicy
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2  # aclrtMemcpyKind
ND = 2  # aclFormat


@dataclass(frozen=True, slots=True)
class Gear:
    """One of the shapes that a model was compiled for, to which the inputs of a run are padded."""

    dims: Shape
    inputs: Sequence[TensorSpec]
    outputs: Sequence[Shape]


class Buffer:
    """`size` bytes on the device, and as many in `host`, pinned memory for copies in both directions."""

    def __init__(self, device: AscendDevice, size: int, held: ExitStack) -> None:
        self._device = device
        self.size = size
        self._pinned = device.acl.do("rt.malloc_host", size)
        held.callback(device.release, "rt.free_host", self._pinned)
        self.address: int = device.acl.do("rt.malloc", size, HUGE_FIRST)
        held.callback(device.release, "rt.free", self.address, waits=True)
        self.host = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(self._pinned))

    def upload(self, count: int) -> None:
        """Copy the first `count` bytes to the device and wait until done."""
        self._device.do("rt.memcpy", self.address, self.size, self._pinned, count, HOST_TO_DEVICE)

    def download(self, count: int) -> None:
        """Copy the first `count` bytes from the device and wait until done."""
        self._device.do("rt.memcpy", self._pinned, self.size, self.address, count, DEVICE_TO_HOST)


class WindowBuffers:
    """Buffers for one window at a time, allocated once. Call `fill`, `start` and, after the run, `results`.

    Copies block, and use memory that no other window uses. So one of two sets of buffers can be filled or read while
    the window of the other is run.
    """

    def __init__(self, device: AscendDevice, model: OmModel, longest: int, held: ExitStack) -> None:
        """Allocate for free dimensions of up to `longest`. `held` gets the callbacks that release everything."""
        self._device, self._model = device, model
        self._inputs = [Buffer(device, model.room(tensor, longest), held) for tensor in model.inputs]
        self._outputs = [Buffer(device, model.room(tensor, longest), held) for tensor in model.outputs]
        self._datasets: tuple[int, int] | None = None
        if all(tensor.size for tensor in [*model.inputs, *model.outputs]):
            choice = [Buffer(device, model.gear_input.size, held)] if model.gear_input else []
            self._datasets = self._make_datasets([(one.address, one.size) for one in [*self._inputs, *choice]], held)
        self._of_window = ExitStack()  # resources of the current window only
        held.callback(self._of_window.close)
        self.error: DeviceError | None = None
        """Why the window could not be started."""
        self.started = 0.0
        """When the window was started, in seconds of `time.perf_counter`."""

    def gear(self, dims: Shape) -> Gear:
        """Return the shapes of inputs and outputs at the gear `dims`."""
        assert self._datasets is not None  # an OM with gears states all sizes, for its largest gear
        self._model.select(self._datasets[0], dims)
        outputs = [self._model.output_shape(index) for index in range(len(self._outputs))]
        return Gear(dims, self._model.specs_at(dims), outputs)

    def fill(self, inputs: Arrays, gear: Gear | None) -> None:
        """Copy a window, which must fit; it is run at `gear` if the model has gears."""
        self._gear = gear
        self._shapes: list[Shape] = []
        for tensor, buffer in zip(self._model.inputs, self._inputs, strict=True):
            array = inputs[tensor.name]
            count = tensor.bytes_of(array.shape)
            np.copyto(buffer.host[:count].view(tensor.dtype).reshape(array.shape), array, casting="same_kind")
            buffer.upload(count)
            self._shapes.append(array.shape)

    def start(self, stream: int) -> None:
        """Start the window in the stream, which must be idle; a failure to start is kept in `error`."""
        self.error = None
        try:
            self._given, self._made = self._datasets or self._datasets_of_window()
            if self._gear:
                self._model.select(self._given, self._gear.dims)
            self.started = time.perf_counter()
            self._device.do("mdl.execute_async", self._model.id, self._given, self._made, stream)
        except DeviceError as error:
            self.error = error

    def results(self) -> Arrays:
        """Return the outputs of the finished run."""
        shapes = self._gear.outputs if self._gear else self._output_shapes()
        return {
            tensor.name: self._result(tensor, buffer, shape)
            for tensor, buffer, shape in zip(self._model.outputs, self._outputs, shapes, strict=True)
        }

    def clear(self) -> None:
        """Release the resources of the window, ready for the next one."""
        self._of_window.close()

    def _datasets_of_window(self) -> tuple[int, int]:
        """Make datasets with the shapes of the window, for a model with free dimensions."""
        acl, held = self._device.acl, self._of_window
        sizes = [tensor.bytes_of(shape) for tensor, shape in zip(self._model.inputs, self._shapes, strict=True)]
        addresses = [buffer.address for buffer in self._inputs]
        given, made = self._make_datasets(zip(addresses, sizes, strict=True), held)
        for index, shape in enumerate(self._shapes):
            # the runtime ignores dtype and format here and uses the model's
            desc = acl.make("create_tensor_desc", 0, list(shape), ND)
            held.callback(acl.ask, "destroy_tensor_desc", desc)
            self._device.do("mdl.set_dataset_tensor_desc", given, desc, index)
        return given, made

    def _make_datasets(self, inputs: Iterable[tuple[int, int]], held: ExitStack) -> tuple[int, int]:
        outputs = [(buffer.address, buffer.size) for buffer in self._outputs]
        return self._make_dataset(inputs, held), self._make_dataset(outputs, held)

    def _make_dataset(self, buffers: Iterable[tuple[int, int]], held: ExitStack) -> int:
        """Make the inputs or outputs of a run, from addresses and sizes in the order of the model's tensors."""
        device = self._device
        dataset = device.acl.make("mdl.create_dataset")
        held.callback(device.release, "mdl.destroy_dataset", dataset)
        for address, size in buffers:
            buffer = device.acl.make("create_data_buffer", address, size)
            held.callback(device.release, "destroy_data_buffer", buffer)
            device.acl.do("mdl.add_dataset_buffer", dataset, buffer)
        return dataset

    def _output_shapes(self) -> list[Shape]:
        """Return the shapes of the run's outputs."""
        if self._datasets:
            return [tuple(length or 0 for length in tensor.shape) for tensor in self._model.outputs]
        acl = self._device.acl
        descs = [acl.make("mdl.get_dataset_tensor_desc", self._made, index) for index in range(len(self._outputs))]
        return [
            tuple(
                self._device.do("get_tensor_desc_dim_v2", desc, axis)
                for axis in range(acl.ask("get_tensor_desc_num_dims", desc))
            )
            for desc in descs
        ]

    def _result(self, tensor: OmTensor, buffer: Buffer, shape: Shape) -> NDArray[Any]:
        count = math.prod(shape) * tensor.dtype.itemsize
        buffer.download(count)
        array: NDArray[Any] = buffer.host[:count].view(tensor.dtype).reshape(shape)
        return array.astype(tensor.spec.dtype)  # a copy, because another window will overwrite this memory
