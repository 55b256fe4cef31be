"""Loaded models: their inputs and outputs, and their runs."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from acl import _process
from acl._memory import DeviceMemory, Span, device_span, reserve
from acl._om import SHAPE_DATA, Om, Tensor, read_om
from acl._process import (
    INVALID,
    LOAD_FAILED,
    MODEL_INVALID,
    OTHER_MODEL,
    SUCCESS,
    TIMED_OUT,
    Context,
    Process,
    Resource,
)
from acl._streams import Task

GEAR = np.dtype(np.int32)
FIRST_GEAR = 0x6EA20000
"""The runtime writes this number plus the gear's number to the additional input of a model with gears."""


class Model(Resource):
    rank = 4

    def __init__(self, process: Process, context: Context, om: Om, graph: bytes) -> None:
        super().__init__(process, context, next(process.model_ids))
        self.om, self.graph = om, graph
        self.weight = len(graph)
        self.gear = len(om.inputs[0].gears) - 1

    @property
    def input_names(self) -> list[str]:
        names = [tensor.name for tensor in self.om.inputs]
        return [*names, SHAPE_DATA] if self.om.kind == "gears" else names

    @property
    def gears(self) -> list[list[int]]:
        """Return the dims of all inputs in a row, at each gear."""
        rows = zip(*(tensor.gears for tensor in self.om.inputs), strict=True)
        return [[size for dims in row for size in dims] for row in rows] if self.om.kind == "gears" else []

    def size(self, tensor: Tensor) -> int:
        """Return the size in bytes in the description: 0 if a dim is free, with gears that of the largest one."""
        if self.om.kind == "dynamic" and -1 in tensor.dims:
            return 0
        return math.prod(tensor.gears[-1]) * np.dtype(tensor.dtype).itemsize

    def release(self) -> None:
        super().release()
        if self.context is not None:
            self.context.device.used -= self.weight


class ModelDesc(Resource):
    rank = 3

    def __init__(self, process: Process, context: Context) -> None:
        super().__init__(process, context)
        self.model: Model | None = None


class DataBuffer(Resource):
    rank = 1

    def __init__(self, process: Process, context: Context | None, address: int, size: int) -> None:
        super().__init__(process, context)
        self.address, self.size = address, size


class TensorDesc(Resource):
    rank = 1

    def __init__(self, process: Process, context: Context | None, dims: list[int]) -> None:
        super().__init__(process, context)
        self.dims = dims


class Dataset(Resource):
    rank = 1

    def __init__(self, process: Process, context: Context | None) -> None:
        super().__init__(process, context)
        self.buffers: list[DataBuffer] = []
        self.descs: dict[int, TensorDesc] = {}

    def describe(self, index: int, dims: list[int]) -> None:
        """Give a tensor a description that belongs to the dataset: nobody else has to release it."""
        before = self.descs.get(index)
        if before is not None and before.owned:
            before.forget()
        self.descs[index] = TensorDesc(self.process, self.context, dims)
        self.descs[index].owned = True

    def release(self) -> None:
        super().release()
        for desc in self.descs.values():
            if desc.owned:
                desc.forget()


def load(path: str) -> Model:
    """Load a model into the current context."""
    process = _process.process
    context = process.context
    if process.machine.load_error:
        process.befall(process.machine.load_error, "the model cannot be loaded")
    try:
        om, graph = read_om(Path(path))
    except (OSError, ValueError, KeyError) as error:
        process.fail(LOAD_FAILED, f"{path}: {error}")
    if om.soc != context.device.soc:
        process.fail(LOAD_FAILED, f"the model is for {om.soc}, the device is {context.device.soc}")
    reserve(context, len(graph))
    if process.machine.compute:
        _session(graph)
    return Model(process, context, om, graph)


def prepare(model: Model, inputs: Dataset, outputs: Dataset, stream: Any, rest: Callable[[float], None]) -> Task:
    """Make a run of a model a task, which calls `rest` at its end. Rejects wrong inputs and outputs."""
    process = _process.process
    if model.context is not process.context:
        process.refuse(OTHER_MODEL, "a model run in another context than it was loaded in")
    if any(model in task.holds and task.stream is not stream for task in process.pending):
        process.refuse(INVALID, "one model run in two streams at once")
    if stream is not None:
        stream.ran.add(model)
    shapes = _input_shapes(model, inputs)
    reads = [_checked_span(buffer) for buffer in inputs.buffers]
    for span, name in zip(reads, model.input_names, strict=True):
        fresh = isinstance(span.memory, DeviceMemory) and not span.memory.written
        if fresh and not any(span.overlaps(s) for t in process.pending for s in t.writes):
            process.refuse(MODEL_INVALID, f"input {name} was never written")
    writes = [_checked_span(buffer) for buffer in outputs.buffers]
    if len(writes) != len(model.om.outputs):
        process.refuse(INVALID, f"{len(writes)} outputs for a model of {len(model.om.outputs)}")
    if model.om.kind != "dynamic":
        for span, tensor in zip(writes, model.om.outputs, strict=True):
            if span.count != model.size(tensor):
                process.refuse(INVALID, f"output {tensor.name} has {model.size(tensor)} bytes, not {span.count}")

    def act() -> int:
        faults = process.machine.faults
        fault = faults.get(str(process.machine.count("runs"))) if faults else None
        if fault == "crash":
            os.abort()
        if fault == "hang" and stream is not None:
            return int(stream.hang())
        if fault == "hang":
            process.violation("waited without a limit for a run that hangs")
            return TIMED_OUT
        if fault is not None:
            return int(fault)
        started = time.perf_counter()
        code = _run(model, shapes, reads, writes, made)
        rest(max(0.0, process.machine.run_ms / 1e3 - (time.perf_counter() - started)))
        process.busy += time.perf_counter() - started
        process.runs += 1
        return code

    def settle() -> None:
        for index, dims in enumerate(made if model.om.kind == "dynamic" else []):
            outputs.describe(index, dims)

    made: list[list[int]] = []
    return Task("a run", act, settle, reads, writes, [model, inputs, outputs, *inputs.buffers, *outputs.buffers])


def _checked_span(buffer: DataBuffer) -> Span:
    _process.process.get(buffer.handle, DataBuffer)
    return device_span(buffer.address, buffer.size)


def _input_shapes(model: Model, inputs: Dataset) -> list[list[int]]:
    """Return the shapes of a run's inputs, after checking the sizes of the buffers."""
    process, om = _process.process, model.om
    if len(inputs.buffers) != len(model.input_names):
        process.refuse(INVALID, f"{len(inputs.buffers)} inputs for a model of {len(model.input_names)}")
    shapes = [tensor.gears[-1] for tensor in om.inputs]
    if om.kind == "gears":
        span = device_span(inputs.buffers[-1].address, GEAR.itemsize)
        chosen = int(np.frombuffer(span.memory.read(span.start, span.count), GEAR)[0]) - FIRST_GEAR
        if not 0 <= chosen < len(model.gears):
            process.refuse(MODEL_INVALID, "a run before set_input_dynamic_dims, or its memory was written to")
        shapes = [tensor.gears[chosen] for tensor in om.inputs]
    elif om.kind == "dynamic":
        shapes = [desc.dims if desc else [] for desc in (inputs.descs.get(i) for i in range(len(om.inputs)))]
    for tensor, shape, buffer in zip(om.inputs, shapes, inputs.buffers, strict=False):
        fits = len(shape) == len(tensor.dims) and all(a in (-1, b) for a, b in zip(tensor.dims, shape, strict=True))
        if not fits:
            process.refuse(MODEL_INVALID, f"input {tensor.name} of {shape}, the model takes {tensor.dims}")
        expected = math.prod(shape) * np.dtype(tensor.dtype).itemsize if om.kind == "dynamic" else model.size(tensor)
        if buffer.size != expected:
            process.refuse(INVALID, f"input {tensor.name} has {expected} bytes, not {buffer.size}")
    return shapes


def _run(model: Model, shapes: list[list[int]], reads: list[Span], writes: list[Span], made: list[list[int]]) -> int:
    om = model.om
    if _process.process.machine.compute:
        results = _compute(model, shapes, reads)
    else:
        results = [np.zeros(tensor.gears[model.gear], tensor.computed) for tensor in om.outputs]
    for tensor, span, result in zip(om.outputs, writes, results, strict=True):
        data = result.astype(tensor.dtype).tobytes()
        if len(data) > span.count:
            return MODEL_INVALID
        span.memory.write(span.start, data)
        made.append(list(result.shape))
    return SUCCESS


def _compute(model: Model, shapes: list[list[int]], reads: list[Span]) -> list[NDArray[Any]]:
    feeds = {}
    for tensor, shape, span in zip(model.om.inputs, shapes, reads, strict=False):
        count = math.prod(shape) * np.dtype(tensor.dtype).itemsize
        array = np.frombuffer(span.memory.read(span.start, count), tensor.dtype).reshape(shape)
        feeds[tensor.name] = array.astype(tensor.computed)
    return [np.asarray(result) for result in _session(model.graph).run(None, feeds)]


@functools.lru_cache(maxsize=8)
def _session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
