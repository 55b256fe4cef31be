"""acl.mdl: models, their descriptions, and their runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from acl import _process
from acl._memory import device_span
from acl._models import FIRST_GEAR, GEAR, DataBuffer, Dataset, Model, ModelDesc, TensorDesc, load, prepare
from acl._om import DTYPES, SHAPE_DATA, Tensor
from acl._process import INVALID, LOAD_FAILED, MODEL_INVALID, OTHER_MODEL, call
from acl._streams import check_free, current_stream
from acl.rt import sleep_with_gil

ND = 2


@call("value")
def load_from_file(path: str) -> int:
    return load(path).handle


@call()
def unload(model_id: int) -> None:
    process = _process.process
    context = process.context
    model: Model = process.get(model_id, Model)
    if model.context is not context:
        process.refuse(OTHER_MODEL, "a model unloaded in another context than it was loaded in")
    model.release()


@call("values")
def query_size(path: str) -> tuple[int, int]:
    try:
        return 1 << 20, Path(path).stat().st_size
    except OSError as error:
        _process.process.fail(LOAD_FAILED, str(error))


@call("plain")
def create_desc() -> int:
    process = _process.process
    return ModelDesc(process, process.context).handle


@call()
def get_desc(desc: int, model_id: int) -> None:
    process = _process.process
    process.get(desc, ModelDesc).model = process.get(model_id, Model)


@call()
def destroy_desc(desc: int) -> None:
    _process.process.get(desc, ModelDesc).release()


def _described(desc: int) -> Model:
    process = _process.process
    model: Model | None = process.get(desc, ModelDesc).model
    if model is None:
        process.refuse(INVALID, "a description that was never filled")
    _process.process.get(model.handle, Model)
    return model


def _tensor(tensors: list[Tensor], index: int) -> Tensor:
    if not 0 <= index < len(tensors):
        _process.process.refuse(INVALID, f"there is no tensor {index}")
    return tensors[index]


def _shape_input(model: Model, index: int) -> Tensor | None:
    """Return the additional input of a model with gears, if it has this index."""
    if model.om.kind != "gears" or index != len(model.om.inputs):
        return None
    return Tensor(SHAPE_DATA, "int32", "int32", [4], [[4]])


def _input(desc: int, index: int) -> Tensor:
    model = _described(desc)
    return _shape_input(model, index) or _tensor(model.om.inputs, index)


@call("plain")
def get_num_inputs(desc: int) -> int:
    return len(_described(desc).input_names)


@call("plain")
def get_num_outputs(desc: int) -> int:
    return len(_described(desc).om.outputs)


@call("plain")
def get_input_name_by_index(desc: int, index: int) -> str:
    return _input(desc, index).name


@call("plain")
def get_output_name_by_index(desc: int, index: int) -> str:
    return _tensor(_described(desc).om.outputs, index).name


@call("plain")
def get_input_size_by_index(desc: int, index: int) -> int:
    model = _described(desc)
    return 16 if _shape_input(model, index) else model.size(_tensor(model.om.inputs, index))


@call("plain")
def get_output_size_by_index(desc: int, index: int) -> int:
    model = _described(desc)
    return model.size(_tensor(model.om.outputs, index))


def _dims(tensor: Tensor, dims: list[int]) -> dict[str, Any]:
    return {"name": tensor.name, "dimCount": len(dims), "dims": list(dims)}


@call("value")
def get_input_dims(desc: int, index: int) -> dict[str, Any]:
    tensor = _input(desc, index)
    return _dims(tensor, tensor.dims)


@call("value")
def get_output_dims(desc: int, index: int) -> dict[str, Any]:
    model = _described(desc)
    tensor = _tensor(model.om.outputs, index)
    return _dims(tensor, tensor.gears[-1] if model.om.kind == "gears" else tensor.dims)


@call("value")
def get_cur_output_dims(desc: int, index: int) -> dict[str, Any]:
    model = _described(desc)
    tensor = _tensor(model.om.outputs, index)
    if model.om.kind == "dynamic":
        _process.process.fail(INVALID, "the output dims of a dynamic model are in its dataset")
    return _dims(tensor, tensor.gears[model.gear])


@call("plain")
def get_input_data_type(desc: int, index: int) -> int:
    return DTYPES[_input(desc, index).dtype]


@call("plain")
def get_output_data_type(desc: int, index: int) -> int:
    return DTYPES[_tensor(_described(desc).om.outputs, index).dtype]


@call("plain")
def get_input_format(desc: int, index: int) -> int:
    return ND


@call("value")
def get_input_index_by_name(desc: int, name: str) -> int:
    names = _described(desc).input_names
    if name not in names:
        _process.process.fail(INVALID, f"no input {name}")
    return names.index(name)


@call("value")
def get_output_index_by_name(desc: int, name: str) -> int:
    names = [tensor.name for tensor in _described(desc).om.outputs]
    if name not in names:
        _process.process.fail(INVALID, f"no output {name}")
    return names.index(name)


@call("value")
def get_input_dynamic_gear_count(desc: int, index: int) -> int:
    if index != -1:
        _process.process.refuse(INVALID, "the index of the gears is not -1")
    return len(_described(desc).gears)


@call("value")
def get_input_dynamic_dims(desc: int, index: int, count: int) -> list[dict[str, Any]]:
    gears = _described(desc).gears
    if index != -1 or count != len(gears):
        _process.process.refuse(INVALID, f"{count} gears asked for, there are {len(gears)}")
    return [{"name": "", "dimCount": len(dims), "dims": dims} for dims in gears]


@call()
def set_input_dynamic_dims(model_id: int, dataset: int, index: int, dims: dict[str, Any]) -> None:
    process = _process.process
    process.require_context()
    model: Model = process.get(model_id, Model)
    buffers = process.get(dataset, Dataset).buffers
    if index != len(model.om.inputs) or len(buffers) <= index:
        process.refuse(INVALID, f"input {index} is not {SHAPE_DATA}, or has no buffer")
    if dims["dimCount"] != len(dims["dims"]) or list(dims["dims"]) not in model.gears:
        process.refuse(MODEL_INVALID, f"{dims['dims']} is not a gear of the model")
    if buffers[index].size != 16:
        process.refuse(INVALID, f"the buffer of {SHAPE_DATA} has {buffers[index].size} bytes, not 16")
    span = device_span(buffers[index].address, buffers[index].size)
    check_free([], [span], "another gear chosen")
    model.gear = model.gears.index(list(dims["dims"]))
    span.memory.write(span.start, np.array([FIRST_GEAR + model.gear], GEAR).tobytes())


@call("plain")
def create_dataset() -> int:
    process = _process.process
    return Dataset(process, process.context).handle


@call()
def destroy_dataset(dataset: int) -> None:
    process = _process.process
    doomed: Dataset = process.get(dataset, Dataset)
    for buffer in doomed.buffers:
        if buffer.handle in process.resources:
            process.violation(f"dataset destroyed before its data buffer made at {buffer.made}")
    doomed.release()


@call("value")
def add_dataset_buffer(dataset: int, buffer: int) -> int:
    process = _process.process
    process.get(dataset, Dataset).buffers.append(process.get(buffer, DataBuffer))
    return dataset


@call("plain")
def get_dataset_buffer(dataset: int, index: int) -> int:
    return int(_process.process.get(dataset, Dataset).buffers[index].handle)


@call("plain")
def get_dataset_num_buffers(dataset: int) -> int:
    return len(_process.process.get(dataset, Dataset).buffers)


@call("value")
def set_dataset_tensor_desc(dataset: int, tensor_desc: int, index: int) -> int:
    process = _process.process
    process.get(dataset, Dataset).descs[index] = process.get(tensor_desc, TensorDesc)
    return dataset


@call("plain")
def get_dataset_tensor_desc(dataset: int, index: int) -> int:
    process = _process.process
    desc: TensorDesc | None = process.get(dataset, Dataset).descs.get(index)
    if desc is None:
        process.refuse(INVALID, "the tensor description of an output asked for before a run")
    return desc.handle


@call()
def execute(model_id: int, inputs: int, outputs: int) -> None:
    process = _process.process
    model: Model = process.get(model_id, Model)
    task = prepare(model, process.get(inputs, Dataset), process.get(outputs, Dataset), None, sleep_with_gil)
    check_free(task.reads, task.writes, "a run")
    code = task.act()
    if code:
        process.context.fault = process.context.device.fault = code
        process.fail(code, "the run failed")
    task.settle()


@call()
def execute_async(model_id: int, inputs: int, outputs: int, stream: int) -> None:
    process = _process.process
    queue = current_stream(stream)
    model: Model = process.get(model_id, Model)
    queue.put(prepare(model, process.get(inputs, Dataset), process.get(outputs, Dataset), queue, time.sleep))
