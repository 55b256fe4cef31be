"""The container that the simulated compiler writes and the simulated runtime loads: a description and the graph."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

MAGIC = b"SIMULATED-OM\n"

SHAPE_DATA = "ascend_mbatch_shape_data"
"""The additional input of a model with gears, which selects one of them."""

DTYPES = {
    "float32": 0, "float16": 1, "int8": 2, "int32": 3, "uint8": 4, "int16": 6, "uint16": 7, "uint32": 8, "int64": 9,
    "uint64": 10, "float64": 11, "bool": 12,
}  # fmt: skip
"""Codes of aclDataType by NumPy's names."""


@dataclass(frozen=True)
class Tensor:
    """An input or output. `computed` is the graph's own dtype if the model uses another.

    `dims` has -1 for a free dimension. `gears` are its dims at each gear, or at the two lengths that were tried.
    """

    name: str
    dtype: str
    computed: str
    dims: list[int]
    gears: list[list[int]]


@dataclass(frozen=True)
class Om:
    """A compiled model. `kind`: `static`, `gears` (one of several shapes per run) or `dynamic` (any shape)."""

    soc: str
    kind: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    command: list[str] = field(default_factory=list)


def write_om(path: Path, om: Om, graph: bytes) -> None:
    """Write a model with its ONNX graph."""
    header = json.dumps(asdict(om)).encode()
    path.write_bytes(MAGIC + len(header).to_bytes(8, "little") + header + graph)


def read_om(path: Path) -> tuple[Om, bytes]:
    """Read a model and its graph. Raises `ValueError` if the file is something else."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise ValueError("not a simulated OM")
    start = len(MAGIC) + 8
    stop = start + int.from_bytes(data[len(MAGIC) : start], "little")
    header = json.loads(data[start:stop])
    inputs, outputs = ([Tensor(**tensor) for tensor in header.pop(edge)] for edge in ("inputs", "outputs"))
    return Om(**header, inputs=inputs, outputs=outputs), data[stop:]
