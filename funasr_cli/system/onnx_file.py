"""Reads ONNX files, and rewrites them as they are loaded, without the package onnx, which a run does not depend on.

Tensor values stay in the file. Field numbers and types are those of onnx.proto.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from funasr_cli import protobuf
from funasr_cli.protobuf import Field, fields

MODEL_GRAPH, MODEL_OPSET = 7, 8
OPSET_DOMAIN, OPSET_VERSION = 1, 2
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_OP_TYPE, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_TEXT, ATTRIBUTE_INTS, ATTRIBUTE_TYPE = 1, 3, 4, 8, 20
IS_INT, IS_INTS = 2, 7
TENSOR_DIMS, TENSOR_TYPE, TENSOR_INT32, TENSOR_NAME, TENSOR_RAW, TENSOR_FILE = 1, 2, 5, 8, 9, 13
VALUE_NAME, VALUE_TYPE, TYPE_TENSOR, ELEMENT_TYPE, SHAPE, DIMENSION, DIMENSION_VALUE = 1, 2, 1, 1, 2, 1, 1
FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7

SIGN_BIT = 0x80
"""Flipping this bit subtracts 128: 0 to 255 become −128 to 127."""

CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Node:
    """An operation, with the names of its input and output tensors."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stored: memoryview

    @classmethod
    def read(cls, stored: memoryview) -> Node:
        """Parse the node in a message."""
        parts: dict[int, list[str]] = {NODE_INPUT: [], NODE_OUTPUT: [], NODE_OP_TYPE: []}
        for field in fields(stored):
            if field.number in parts:
                parts[field.number].append(field.text)
        return cls("".join(parts[NODE_OP_TYPE]), tuple(parts[NODE_INPUT]), tuple(parts[NODE_OUTPUT]), stored)

    @classmethod
    def made(cls, kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> Node:
        """Create a node. `attributes` must not be negative."""
        parts = [protobuf.message(NODE_OUTPUT, output.encode()), protobuf.message(NODE_OP_TYPE, kind.encode())]
        for name, value in attributes.items():
            if isinstance(value, int):
                stored = [protobuf.integer(ATTRIBUTE_INT, value), protobuf.integer(ATTRIBUTE_TYPE, IS_INT)]
            else:
                stored = [protobuf.integer(ATTRIBUTE_INTS, one) for one in value]
                stored.append(protobuf.integer(ATTRIBUTE_TYPE, IS_INTS))
            named = protobuf.message(ATTRIBUTE_NAME, name.encode())
            parts.append(protobuf.message(NODE_ATTRIBUTE, named, *stored))
        return cls(kind, tuple(inputs), (output,), memoryview(b"".join(parts)))

    def attributes(self) -> dict[str, list[int] | str]:
        """The attributes that are integers or text, by name."""
        found: dict[str, list[int] | str] = {}
        for field in fields(self.stored):
            if field.number == NODE_ATTRIBUTE:
                parts = list(fields(field.message))
                (name,) = (part.text for part in parts if part.number == ATTRIBUTE_NAME)
                kinds = (ATTRIBUTE_INT, ATTRIBUTE_INTS)
                found[name] = [value for part in parts if part.number in kinds for value in part.integers]
                texts = [part.text for part in parts if part.number == ATTRIBUTE_TEXT]
                found[name] = texts[0] if texts else found[name]
        return found

    def encoded(self) -> bytes:
        """The node as a field of the graph, with its current inputs."""
        rest = (bytes(field.raw) for field in fields(self.stored) if field.number != NODE_INPUT)
        inputs = (protobuf.message(NODE_INPUT, name.encode()) for name in self.inputs)
        return protobuf.message(GRAPH_NODE, *inputs, *rest)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant: its type, its shape, and whether its values are in this file or in another one.

    `signed`: it will be written as int8, with 128 subtracted.
    """

    kind: int
    shape: tuple[int, ...]
    is_here: bool
    is_elsewhere: bool
    field: Field
    signed: bool = False

    @classmethod
    def read(cls, field: Field) -> Tensor:
        """Parse the tensor in an initialiser."""
        parts = list(fields(field.message))
        numbers = {part.number for part in parts}
        shape = tuple(size for part in parts if part.number == TENSOR_DIMS for size in part.integers)
        kind = next((value for part in parts if part.number == TENSOR_TYPE for value in part.integers), 0)
        return cls(kind, shape, not numbers.isdisjoint((TENSOR_RAW, TENSOR_INT32)), TENSOR_FILE in numbers, field)

    @classmethod
    def of_integers(cls, name: str, values: Sequence[int]) -> Tensor:
        """Create a tensor of type int64 and shape `[n]`."""
        raw = np.array(values, "<i8").tobytes()
        named = protobuf.message(TENSOR_NAME, name.encode()) + protobuf.integer(TENSOR_TYPE, INT64)
        shaped = protobuf.integer(TENSOR_DIMS, len(values)) + protobuf.message(TENSOR_RAW, raw)
        (field,) = fields(memoryview(protobuf.message(GRAPH_INITIALIZER, named, shaped)))
        return cls.read(field)

    def floats(self, name: str) -> NDArray[np.float32] | None:
        """The values, read-only; None if they are not float32 or not stored as raw bytes.

        Raises `ValueError`, which calls the tensor `name`, if their number does not match the shape.
        """
        raw = next((part.message for part in fields(self.field.message) if part.number == TENSOR_RAW), None)
        if self.kind != FLOAT or raw is None:
            return None
        if len(raw) != 4 * math.prod(self.shape):
            raise ValueError(f"{name} has {len(raw)} bytes for a shape of {list(self.shape)}")
        return np.frombuffer(raw, "<f4").reshape(self.shape).astype(np.float32, copy=False)

    def pieces(self) -> list[memoryview | bytes]:
        """The initialiser as it will be written; the last piece of a signed one has the original, unsigned values."""
        kept: list[memoryview | bytes] = [protobuf.integer(TENSOR_DIMS, size) for size in self.shape]
        values = b""
        raw: memoryview | bytes | None = None
        for part in fields(self.field.message):
            if part.number == TENSOR_RAW and self.signed:
                raw = part.message
            elif part.number == TENSOR_INT32 and self.signed:
                values = bytes([*values, *part.integers])
            elif part.number not in (TENSOR_DIMS, TENSOR_TYPE):
                kept.append(part.raw)
        kept.append(protobuf.integer(TENSOR_TYPE, INT8 if self.signed else self.kind))
        if self.signed:
            raw = values if raw is None else raw
            kept += [protobuf.header(TENSOR_RAW, len(raw)), raw]
        return [protobuf.header(GRAPH_INITIALIZER, sum(map(len, kept))), *kept]


class OnnxFile:
    """A model in a file. `nodes` are in execution order, and may be replaced by other nodes in execution order."""

    def __init__(self, model: memoryview) -> None:
        """Parse a model. Raises `ValueError` if it is not an ONNX model."""
        self._model = list(fields(model))
        graphs = [list(fields(field.message)) for field in self._model if field.number == MODEL_GRAPH]
        if len(graphs) != 1:
            raise ValueError("the file has no graph")
        (graph,) = graphs
        self.nodes: Sequence[Node] = [Node.read(field.message) for field in graph if field.number == GRAPH_NODE]
        self.tensors: dict[str, Tensor] = {
            _name(field, TENSOR_NAME): Tensor.read(field) for field in graph if field.number == GRAPH_INITIALIZER
        }
        self.inputs: Mapping[str, tuple[int | None, ...]] = {
            _name(field): _sizes(field) for field in graph if field.number == GRAPH_INPUT
        }
        """The shape of each input; None for a free dimension."""
        self.outputs = {_name(field) for field in graph if field.number == GRAPH_OUTPUT}
        self._rest = [field for field in graph if field.number not in (GRAPH_NODE, GRAPH_INITIALIZER)]

    @property
    def has_files_beside(self) -> bool:
        """Whether some tensors have their values in other files, whose paths are relative to this one."""
        return any(tensor.is_elsewhere for tensor in self.tensors.values())

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators; 0 if the file does not state it."""
        sets = [list(fields(field.message)) for field in self._model if field.number == MODEL_OPSET]
        own = [entry for entry in sets if not any(part.number == OPSET_DOMAIN and part.text for part in entry)]
        return max((part.integers[0] for entry in own for part in entry if part.number == OPSET_VERSION), default=0)

    def sign(self, names: Iterable[str]) -> None:
        """Mark these uint8 tensors to be written as int8, with 128 subtracted."""
        for name in names:
            self.tensors[name] = replace(self.tensors[name], signed=True)

    def write(self, out: BinaryIO) -> None:
        """Write the model in its current state."""
        signed = {name for name, tensor in self.tensors.items() if tensor.signed}
        nodes = [node.encoded() for node in self.nodes]
        # The stated type of a signed tensor no longer applies.
        rest = [field.raw for field in self._rest if field.number != GRAPH_VALUE_INFO or _name(field) not in signed]
        tensors = [(tensor.pieces(), tensor.signed) for tensor in self.tensors.values()]
        size = sum(map(len, [*nodes, *rest])) + sum(len(piece) for pieces, _ in tensors for piece in pieces)
        out.writelines(field.raw for field in self._model if field.number != MODEL_GRAPH)
        out.write(protobuf.header(MODEL_GRAPH, size))
        out.writelines([*nodes, *rest])
        for pieces, flipped in tensors:
            out.writelines(pieces[:-1] if flipped else pieces)
            if flipped:
                out.writelines(_flipped(pieces[-1]))
        out.flush()


def read_onnx(path: Path) -> OnnxFile:
    """Read the model in a file. Raises `OSError` if it cannot be read, `ValueError` if it is not an ONNX model."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # everything parsed is a view of this mapping
    return OnnxFile(memoryview(mapped))


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """All float32 constants by name, read-only. Raises the errors of `read_onnx`."""
    found = {name: tensor.floats(name) for name, tensor in read_onnx(path).tensors.items()}
    return {name: values for name, values in found.items() if values is not None}


@contextmanager
def file_in_memory() -> Iterator[tuple[BinaryIO, Path]]:
    """A file in memory that a runtime can open by its path, within the context."""
    with os.fdopen(os.memfd_create("graph"), "wb") as file:
        yield file, Path(f"/proc/self/fd/{file.fileno()}")


def _flipped(data: memoryview | bytes) -> Iterator[bytes]:
    for at in range(0, len(data), CHUNK_BYTES):
        yield (np.frombuffer(data[at : at + CHUNK_BYTES], np.uint8) ^ SIGN_BIT).tobytes()


def _name(field: Field, number: int = VALUE_NAME) -> str:
    return next((part.text for part in fields(field.message) if part.number == number), "")


def _sizes(value: Field) -> tuple[int | None, ...]:
    """The shape in the description of an input."""
    level = [value]
    for number in (VALUE_TYPE, TYPE_TENSOR, SHAPE, DIMENSION):
        level = [part for field in level for part in fields(field.message) if part.number == number]
    sizes = ([part.value for part in fields(field.message) if part.number == DIMENSION_VALUE] for field in level)
    return tuple(next((size for size in found if isinstance(size, int)), None) for found in sizes)
