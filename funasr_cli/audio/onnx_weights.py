"""The weights in an ONNX file, read without the package onnx, which is no dependency of a run.

An ONNX file is a `ModelProto` in protobuf's wire format (protobuf.dev/programming-guides/encoding). Of its fields
(onnx.proto) only those that lead to a weight are read: `Model.graph`, `Graph.initializer`, and in a `Tensor` its
`dims`, `data_type`, `name` and `raw_data`, which PyTorch's exporter writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GRAPH = 7
INITIALIZER = 5
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9
FLOAT = 1

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Each float32 initialiser of the graph by its name, read-only.

    Raises `OSError` if the file cannot be read, `ValueError` if it is not an ONNX file.
    """
    weights = {}
    for model_field, graph in _fields(memoryview(path.read_bytes())):
        if model_field == GRAPH:
            for graph_field, tensor in _fields(_message(graph)):
                if graph_field == INITIALIZER:
                    weights.update(_tensor(_message(tensor)))
    return weights


def _tensor(data: memoryview) -> dict[str, NDArray[np.float32]]:
    """Name and content of a tensor; nothing if its values are not float32 or not stored as raw bytes."""
    dims: list[int] = []
    kind, name, raw = 0, "", None
    for field, value in _fields(data):
        if field == DIMS:  # one varint for each, or all of them packed
            dims += [value] if isinstance(value, int) else _varints(value)
        elif field == DATA_TYPE:
            kind = _integer(value)
        elif field == NAME:
            name = bytes(_message(value)).decode()
        elif field == RAW_DATA:
            raw = _message(value)
    if kind != FLOAT or raw is None:
        return {}
    if len(raw) != 4 * math.prod(dims):
        raise ValueError(f"{name} has {len(raw)} bytes for a shape of {dims}")
    return {name: np.frombuffer(raw, "<f4").reshape(dims).astype(np.float32, copy=False)}


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message: an integer, or bytes for all that is longer."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if at + size > len(data):
            raise ValueError(f"ends within a field at byte {at}")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The integer at `at`, seven bits a byte from the lowest on, and where it ends."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("ends within an integer")


def _varints(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError(f"expected a message, got the integer {value}")
    return value


def _integer(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise ValueError("expected an integer, got a message")
    return value
