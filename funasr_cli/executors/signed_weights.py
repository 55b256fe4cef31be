"""8-bit graphs with signed weights in place of unsigned ones: the same results, at twice the speed.

Published graphs have weights from 0 to 255 with a zero point. ONNX Runtime from 1.25 on runs these at half the speed of
signed ones on x86-64 (benchmarks/runtime_regression.py). A product of `(weight − zero point)` stays what it is if both
are less by 128, so the results are the same, bit for bit, if the processor adds such products up without saturation:
with VNNI it does. Only then is a graph rewritten, as it is loaded; the published file stays as it is.
"""

from __future__ import annotations

import logging
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from funasr_cli import protobuf
from funasr_cli.protobuf import Field, fields
from funasr_cli.system.onnx_sessions import make_session
from funasr_cli.system.processor import has_vnni

logger = logging.getLogger(__name__)

# Field numbers and types of onnx.proto.
MODEL_IR_VERSION, MODEL_GRAPH, MODEL_OPSET = 1, 7, 8
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_OP_TYPE = 1, 2, 4
TENSOR_DIMS, TENSOR_TYPE, TENSOR_INT32, TENSOR_NAME, TENSOR_RAW = 1, 2, 5, 8, 9
VALUE_NAME, VALUE_TYPE, TYPE_TENSOR, TENSOR_ELEMENT, TENSOR_SHAPE = 1, 2, 1, 1, 2
UINT8, INT8, INT32 = 2, 3, 6

PRODUCT = "MatMulInteger"
WEIGHTS, ZERO_POINTS = 1, 3
"""The places of both among its inputs."""

SIGN_BIT = 0x80
"""To flip it takes 128 away: 0 to 255 become −128 to 127."""

CHUNK_BYTES = 2**20


@contextmanager
def signed_form(graph: Path) -> Iterator[Path | None]:
    """The graph with signed weights, as a file in memory that is there within the context.

    None if it has no unsigned ones, or is not sure to run faster and with the same results here; then the file itself
    is to be loaded. What is not an ONNX file is left to the runtime to complain of.
    """
    if not has_vnni() or not _adds_up_exactly():
        yield None
        return
    with _file_in_memory() as (out, path):
        if _write_signed(graph, out):
            logger.debug("the weights of %s are made signed", graph)
            yield path
        else:
            yield None


@contextmanager
def _file_in_memory() -> Iterator[tuple[BinaryIO, Path]]:
    """A file that the runtime can open by its path."""
    with os.fdopen(os.memfd_create("graph"), "wb") as file:
        yield file, Path(f"/proc/self/fd/{file.fileno()}")


def _write_signed(graph: Path, out: BinaryIO) -> bool:
    """Write the graph with signed weights; False, and nothing is written, if there is nothing to sign."""
    if not graph.stat().st_size:
        return False  # and cannot be mapped
    with graph.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # the pieces below are views of it
    parts = _signed(memoryview(mapped)) or []
    for part in parts:
        out.writelines(part.chunks())
    out.flush()
    return bool(parts)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the file to be written; `flipped`: with the sign bit of each byte flipped."""

    data: memoryview | bytes
    flipped: bool = False

    def chunks(self) -> Iterator[memoryview | bytes]:
        if not self.flipped:
            yield self.data
            return
        for at in range(0, len(self.data), CHUNK_BYTES):
            yield (np.frombuffer(self.data[at : at + CHUNK_BYTES], np.uint8) ^ SIGN_BIT).tobytes()


def _signed(model: memoryview) -> list[_Part] | None:
    """The model with signed weights in pieces; None if there is nothing to sign, or not everything can be."""
    try:
        top = list(fields(model))
        (graph,) = (list(fields(field.message)) for field in top if field.number == MODEL_GRAPH)
        names = _to_be_signed(graph)
    except ValueError:
        return None
    if not names:
        return None
    inner: list[_Part] = []
    for field in graph:
        name = _name(field)
        if field.number == GRAPH_INITIALIZER and name in names:
            inner += _signed_tensor(field)
        elif field.number != GRAPH_VALUE_INFO or name not in names:  # which would tell the old type
            inner.append(_Part(field.raw))
    parts: list[_Part] = []
    for field in top:
        if field.number == MODEL_GRAPH:
            parts += [_Part(protobuf.header(MODEL_GRAPH, sum(len(part.data) for part in inner))), *inner]
        else:
            parts.append(_Part(field.raw))
    return parts


def _to_be_signed(graph: Sequence[Field]) -> set[str]:
    """The names of the weights and zero points of all products; none if one of them is used for anything else."""
    unsigned = {_name(field) for field in graph if field.number == GRAPH_INITIALIZER and _is_unsigned(field)}
    pairs: set[str] = set()
    others = {_name(field) for field in graph if field.number in (GRAPH_INPUT, GRAPH_OUTPUT)}
    for field in graph:
        if field.number != GRAPH_NODE:
            continue
        node = list(fields(field.message))
        inputs = [part.text for part in node if part.number == NODE_INPUT]
        kind = next(part.text for part in node if part.number == NODE_OP_TYPE)
        if kind == PRODUCT and len(inputs) > ZERO_POINTS and {inputs[WEIGHTS], inputs[ZERO_POINTS]} <= unsigned:
            pairs |= {inputs.pop(ZERO_POINTS), inputs.pop(WEIGHTS)}
        others.update(inputs)
    return pairs if pairs.isdisjoint(others) else set()


def _is_unsigned(tensor: Field) -> bool:
    """Whether a tensor has whole numbers from 0 to 255, within the file."""
    parts = {part.number: part for part in fields(tensor.message)}
    stored = TENSOR_RAW in parts or TENSOR_INT32 in parts
    return stored and TENSOR_TYPE in parts and parts[TENSOR_TYPE].value == UINT8


def _signed_tensor(tensor: Field) -> list[_Part]:
    kept: list[bytes] = [protobuf.integer(TENSOR_TYPE, INT8)]
    values: memoryview | bytes = b""
    for part in fields(tensor.message):
        if part.number == TENSOR_RAW:
            values = part.message
        elif part.number == TENSOR_INT32:
            values = bytes([*values, *part.integers])
        elif part.number != TENSOR_TYPE:
            kept.append(bytes(part.raw))
    kept.append(protobuf.header(TENSOR_RAW, len(values)))
    head = b"".join(kept)
    return [_Part(protobuf.header(GRAPH_INITIALIZER, len(head) + len(values)) + head), _Part(values, flipped=True)]


def _name(field: Field) -> str:
    """Of an initialiser, an input, an output or what is said of another tensor; empty for other fields of a graph."""
    number = {GRAPH_INITIALIZER: TENSOR_NAME}.get(field.number, VALUE_NAME)
    if field.number not in (GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO):
        return ""
    return next((part.text for part in fields(field.message) if part.number == number), "")


@cache
def _adds_up_exactly() -> bool:
    """Whether the runtime on this processor makes products of unsigned and signed numbers without saturation."""
    activations = np.full((1, 64), 255, np.uint8)
    weights = np.repeat(np.array([[127, -128]], np.int8), 64, axis=0)
    with _file_in_memory() as (out, path):
        out.write(_product_graph(weights))
        out.flush()
        session = make_session(path, threads=1)
    (sums,) = session.run(None, {"a": activations})
    return bool((sums == activations.astype(np.int32) @ weights.astype(np.int32)).all())


def _product_graph(weights: NDArray[np.int8]) -> bytes:
    """An ONNX file with one product: `a` uint8 `[1, k]` times `weights` int8 `[k, n]` is `y` int32 `[1, n]`."""

    def value(field: int, name: str, kind: int, *sizes: int) -> bytes:
        shape = (protobuf.message(1, protobuf.integer(1, size)) for size in sizes)
        tensor = protobuf.integer(TENSOR_ELEMENT, kind) + protobuf.message(TENSOR_SHAPE, *shape)
        kinds = protobuf.message(VALUE_TYPE, protobuf.message(TYPE_TENSOR, tensor))
        return protobuf.message(field, protobuf.message(VALUE_NAME, name.encode()), kinds)

    node = protobuf.message(
        GRAPH_NODE,
        *(protobuf.message(NODE_INPUT, name) for name in (b"a", b"b")),
        protobuf.message(NODE_OUTPUT, b"y"),
        protobuf.message(NODE_OP_TYPE, PRODUCT.encode()),
    )
    constant = protobuf.message(
        GRAPH_INITIALIZER,
        *(protobuf.integer(TENSOR_DIMS, size) for size in weights.shape),
        protobuf.integer(TENSOR_TYPE, INT8),
        protobuf.message(TENSOR_NAME, b"b"),
        protobuf.message(TENSOR_RAW, weights.tobytes()),
    )
    rows, columns = weights.shape
    edges = value(GRAPH_INPUT, "a", UINT8, 1, rows) + value(GRAPH_OUTPUT, "y", INT32, 1, columns)
    graph = protobuf.message(MODEL_GRAPH, node, protobuf.message(2, b"product"), constant, edges)
    return protobuf.integer(MODEL_IR_VERSION, 7) + graph + protobuf.message(MODEL_OPSET, protobuf.integer(2, 14))
