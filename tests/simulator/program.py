"""A small program for the runtime, call by call; tests break one rule at a time in it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

FRAMES = 10
X_BYTES, COUNT_BYTES, MEAN_BYTES = 4 * FRAMES * 2, 4, 4 * 2
TO_DEVICE, TO_HOST = 1, 2


class Program:
    """Device, context, stream, the model of `tests.support.graphs`, and its memory; `end` releases all in order."""

    def __init__(self, acl: ModuleType, om: str, *, room: int = FRAMES) -> None:
        self.acl = acl
        self.ok(acl.init())
        self.ok(acl.rt.set_device(0))
        self.context = self.value(acl.rt.create_context(0))
        self.stream = self.value(acl.rt.create_stream())
        self.model = self.value(acl.mdl.load_from_file(om))
        self.desc = acl.mdl.create_desc()
        self.ok(acl.mdl.get_desc(self.desc, self.model))
        self.sizes = [4 * room * 2, COUNT_BYTES, MEAN_BYTES]
        self.host = [self.value(acl.rt.malloc_host(size)) for size in self.sizes]
        self.memory = [self.value(acl.rt.malloc(size, 0)) for size in self.sizes]
        self.inputs, self.input_buffers = self.dataset(0, 1)
        self.outputs, self.output_buffers = self.dataset(2)

    def dataset(self, *tensors: int) -> tuple[int, list[int]]:
        dataset = self.acl.mdl.create_dataset()
        buffers = [self.acl.create_data_buffer(self.memory[index], self.sizes[index]) for index in tensors]
        for buffer in buffers:
            self.value(self.acl.mdl.add_dataset_buffer(dataset, buffer))
        return dataset, buffers

    def ok(self, code: int) -> None:
        assert code == 0, self.acl.get_recent_err_msg()

    def value(self, result: tuple[Any, int]) -> Any:
        self.ok(result[1])
        return result[0]

    def write(self, tensor: int, values: Sequence[float], dtype: Any = np.float32) -> None:
        """Write into pinned memory."""
        data = np.asarray(values, dtype).tobytes()
        ctypes.memmove(self.host[tensor], data, len(data))

    def read(self) -> list[float]:
        """Read the pinned memory of the output."""
        values: list[float] = np.frombuffer(ctypes.string_at(self.host[2], MEAN_BYTES), np.float32).tolist()
        return values

    def upload(self) -> None:
        self.write(0, [1.0] * (self.sizes[0] // 4))
        self.write(1, [2], np.int32)
        for tensor in (0, 1):
            self.copy(tensor, TO_DEVICE)

    def copy(self, tensor: int, kind: int) -> None:
        ends = [self.memory[tensor], self.host[tensor]]
        target, source = ends if kind == TO_DEVICE else reversed(ends)
        size = self.sizes[tensor]
        self.ok(self.acl.rt.memcpy(target, size, source, size, kind))

    def copy_async(self, tensor: int, kind: int, stream: int = 0) -> int:
        ends = [self.memory[tensor], self.host[tensor]]
        target, source = ends if kind == TO_DEVICE else reversed(ends)
        size = self.sizes[tensor]
        code: int = self.acl.rt.memcpy_async(target, size, source, size, kind, stream or self.stream)
        return code

    def start(self, stream: int = 0) -> int:
        code: int = self.acl.mdl.execute_async(self.model, self.inputs, self.outputs, stream or self.stream)
        return code

    def wait(self) -> int:
        code: int = self.acl.rt.synchronize_stream(self.stream)
        return code

    def end(self) -> None:
        acl = self.acl
        for buffer in (*self.input_buffers, *self.output_buffers):
            self.ok(acl.destroy_data_buffer(buffer))
        for dataset in (self.inputs, self.outputs):
            self.ok(acl.mdl.destroy_dataset(dataset))
        for memory, host in zip(self.memory, self.host, strict=True):
            self.ok(acl.rt.free(memory))
            self.ok(acl.rt.free_host(host))
        self.ok(acl.mdl.destroy_desc(self.desc))
        self.ok(acl.mdl.unload(self.model))
        self.ok(acl.rt.destroy_stream(self.stream))
        self.ok(acl.rt.destroy_context(self.context))
        self.ok(acl.rt.reset_device(0))
        self.ok(acl.finalize())
