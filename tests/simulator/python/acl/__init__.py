"""The simulated runtime, which replaces CANN's module `acl`; see tests/simulator."""

from __future__ import annotations

from acl import _process, mdl, rt, util
from acl._models import DataBuffer, TensorDesc
from acl._process import FINALISED_TWICE, INITIALISED_TWICE, INVALID, UNINITIALISED, Context, call

__all__ = ["mdl", "rt", "util"]


@call(before_init=True)
def init(config_path: str = "") -> None:
    process = _process.process
    if process.initialised:
        process.refuse(INITIALISED_TWICE, "acl initialised twice in one process")
    process.initialised = True


@call(before_init=True)
def finalize() -> None:
    process = _process.process
    if not process.initialised:
        process.refuse(UNINITIALISED, "acl finalised before it was initialised")
    if process.finalised:
        process.refuse(FINALISED_TWICE, "acl finalised twice")
    for leak in process.leaks():
        if not leak.startswith("acl,"):
            process.violation(f"acl finalised while there is {leak}")
    process.finalised = True


@call("plain")
def get_soc_name() -> str | None:
    process = _process.process
    context: Context | None = getattr(process.thread, "context", None)
    devices = [context.device] if context else list(process.devices.values())
    return devices[0].soc if devices else None


@call("plain", before_init=True)
def get_recent_err_msg() -> str | None:
    process = _process.process
    message, process.message = process.message, None
    return message


@call("plain")
def create_data_buffer(data: int, size: int) -> int:
    process = _process.process
    return DataBuffer(process, process.here, data, size).handle


@call()
def destroy_data_buffer(buffer: int) -> None:
    _process.process.get(buffer, DataBuffer).release()


@call("plain")
def get_data_buffer_addr(buffer: int) -> int:
    return int(_process.process.get(buffer, DataBuffer).address)


@call("plain")
def get_data_buffer_size(buffer: int) -> int:
    return int(_process.process.get(buffer, DataBuffer).size)


@call("plain")
def create_tensor_desc(data_type: int, dims: list[int], format: int) -> int:
    process = _process.process
    return TensorDesc(process, process.here, list(dims)).handle


@call("plain")
def destroy_tensor_desc(desc: int) -> None:
    process = _process.process
    doomed: TensorDesc = process.get(desc, TensorDesc)
    if doomed.owned:
        process.refuse(INVALID, "destroyed a tensor description that belongs to a dataset")
    doomed.release()


@call("plain")
def get_tensor_desc_num_dims(desc: int) -> int:
    return len(_process.process.get(desc, TensorDesc).dims)


@call("value")
def get_tensor_desc_dim_v2(desc: int, index: int) -> int:
    return int(_process.process.get(desc, TensorDesc).dims[index])
