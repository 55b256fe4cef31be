"""OM files, models compiled by ATC: their inputs and outputs, and the memory they need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from funasr_cli.arrays import TensorSpec
from funasr_cli.errors import ModelError
from funasr_cli.executors.ascend.acl import FAULTS, NO_MEMORY, AclError
from funasr_cli.executors.ascend.device import AscendDevice

DTYPES: Mapping[int, np.dtype[Any]] = {
    number: np.dtype(name)
    for number, name in {
        0: "float32", 1: "float16", 2: "int8", 3: "int32", 4: "uint8", 6: "int16", 7: "uint16", 8: "uint32",
        9: "int64", 10: "uint64", 11: "float64", 12: "bool",
    }.items()
}  # fmt: skip
"""aclDataType."""

GEAR_INPUT = "ascend_mbatch_shape_data"
"""Extra input that passes the gear to the runtime; only the runtime writes its memory."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OmTensor:
    """One input or output as the model describes it. `size` is in bytes; 0 if it depends on the run."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]
    size: int

    @property
    def spec(self) -> TensorSpec:
        """The tensor as the caller sees it: float32 where the device has half floats."""
        return TensorSpec(self.name, np.dtype(np.float32) if self.dtype == np.float16 else self.dtype, self.shape)

    def bytes_of(self, shape: Sequence[int]) -> int:
        """Return the number of bytes of an array with this shape."""
        return math.prod(shape) * self.dtype.itemsize


class OmModel:
    """An OM loaded into the device's context. `held` gets the callbacks that release it.

    `gears` lists the shapes that the model was compiled for, each with the dimensions of all inputs in a row, as the
    runtime expects. It is empty for a model with one fixed shape or free dimensions. Raises `ModelError` if the file
    cannot be loaded on this device, and `DeviceError` if the device is at fault.
    """

    def __init__(self, device: AscendDevice, path: Path, held: ExitStack) -> None:
        self._device, self._path, acl = device, path, device.acl
        try:
            self.id: int = acl.do("mdl.load_from_file", str(path))
        except AclError as error:
            if error.code in (*NO_MEMORY, *FAULTS):
                raise
            raise ModelError(
                f"cannot be loaded on {device.soc}: {error.what}",
                where=path,
                hint="An OM runs only on the SoC it was compiled for, and not with an older CANN than it was compiled "
                f"with. Compile it here: funasr-cli convert MODEL_DIR --soc {device.soc}",
            ) from error
        held.callback(device.release, "mdl.unload", self.id, waits=True)
        self.desc = acl.make("mdl.create_desc")
        held.callback(device.release, "mdl.destroy_desc", self.desc)
        acl.do("mdl.get_desc", self.desc, self.id)
        tensors = self._tensors("input")
        self.gear_input = next((tensor for tensor in tensors if tensor.name == GEAR_INPUT), None)
        self.inputs = [tensor for tensor in tensors if tensor.name != GEAR_INPUT]
        self.outputs = self._tensors("output")
        self.gears = self._gears() if self.gear_input else []

    def room(self, tensor: OmTensor, longest: int) -> int:
        """Return the bytes to allocate for a tensor with free dimensions of up to `longest`.

        Raises `ModelError` if the OM declares too few.
        """
        batch = 1 if len(tensor.shape) > 1 else longest  # size of a free first dimension
        most = [length or (longest if axis else batch) for axis, length in enumerate(tensor.shape)]
        size = tensor.size or tensor.bytes_of(most)
        if None not in tensor.shape and size < tensor.bytes_of(most):
            raise ModelError(
                f"the OM declares {size} bytes for {tensor.name!r}, too few for its shape", where=self._path
            )
        return size

    def specs_at(self, gear: Shape) -> list[TensorSpec]:
        """Return the inputs at a gear."""
        row = iter(gear)
        return [
            TensorSpec(tensor.name, tensor.spec.dtype, tuple(islice(row, len(tensor.shape)))) for tensor in self.inputs
        ]

    def select(self, dataset: int, gear: Shape) -> None:
        """Select the gear of the next run with `dataset`."""
        index = self._device.do("mdl.get_input_index_by_name", self.desc, GEAR_INPUT)
        dims = {"name": "", "dimCount": len(gear), "dims": list(gear)}
        self._device.do("mdl.set_input_dynamic_dims", self.id, dataset, index, dims)

    def output_shape(self, index: int) -> Shape:
        """Return the shape of an output at the gear selected last."""
        return tuple(self._device.acl.do("mdl.get_cur_output_dims", self.desc, index)["dims"])

    def _tensors(self, edge: str) -> list[OmTensor]:
        count = self._device.acl.ask(f"mdl.get_num_{edge}s", self.desc)
        return [self._tensor(edge, index) for index in range(count)]

    def _tensor(self, edge: str, index: int) -> OmTensor:
        acl = self._device.acl
        name: str = acl.ask(f"mdl.get_{edge}_name_by_index", self.desc, index)
        if edge == "output":
            name = name.split(":", 2)[-1]  # `operator:edge:tensor`, as ATC names the outputs of ONNX graphs
        number = acl.ask(f"mdl.get_{edge}_data_type", self.desc, index)
        if number not in DTYPES:
            raise ModelError(
                f"tensor {name!r} of the OM has a data type that NumPy does not have: aclDataType {number}"
            )
        dims = acl.do(f"mdl.get_{edge}_dims", self.desc, index)["dims"]
        size = acl.ask(f"mdl.get_{edge}_size_by_index", self.desc, index)
        return OmTensor(name, DTYPES[number], tuple(None if length < 0 else length for length in dims), size)

    def _gears(self) -> list[Shape]:
        acl = self._device.acl
        count = acl.do("mdl.get_input_dynamic_gear_count", self.desc, -1)
        gears = acl.do("mdl.get_input_dynamic_dims", self.desc, -1, count)
        ranks = sum(len(tensor.shape) for tensor in self.inputs)
        return sorted((tuple(gear["dims"][:ranks]) for gear in gears), key=math.prod)
