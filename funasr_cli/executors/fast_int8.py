"""Rewrite 8-bit graphs while loading them, for the same sums in less time. The published file is not changed.

*Signed weights.* Published graphs have weights from 0 to 255 with a zero point. ONNX Runtime from 1.25 on runs these at
half the speed of signed ones on x86-64 (benchmarks/runtime_regression.py). Subtracting 128 from both weight and zero
point does not change a product of `(weight − zero point)`. So the results are identical, bit for bit, if the processor
adds such products without saturation, as it does with VNNI. Without VNNI, nothing is rewritten.

*No masks.* A mask removes padding. A graph with free lengths is run only on valid frames, so its masks have no effect.

*Convolutions in 2-D.* ONNX Runtime runs a depthwise convolution of `[1, C, T]` channel by channel, but that of
`[1, C, 1, T]` in blocks. The order of addition changes, as it does from one processor to another.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from funasr_cli import protobuf
from funasr_cli.system import onnx_file
from funasr_cli.system.onnx_file import Node, OnnxFile, Tensor, file_in_memory, read_onnx
from funasr_cli.system.onnx_sessions import make_session
from funasr_cli.system.processor import has_vnni

logger = logging.getLogger(__name__)

PRODUCT = "MatMulInteger"
WEIGHTS, ZERO_POINTS = 1, 3
"""Positions of weights and zero points among the inputs of `PRODUCT`."""

COMPARISONS = {"Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
RESHAPING = {"Cast", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
TURNING = {"Equal", "Not"}

AXES_ARE_INPUTS = 13
"""First opset in which Unsqueeze and Squeeze take their axes as an input."""

AXIS = "fast_int8/axis"
"""Name of the tensor that is added."""

WITH_INNER_GRAPHS = {"If", "Loop", "Scan"}
"""Nodes that may read tensors not listed among their inputs."""


@contextmanager
def fast_form(graph: Path, lengths: Collection[str]) -> Iterator[Path | None]:
    """Provide the rewritten graph as a file in memory, for the duration of the context.

    `lengths` names the inputs that state how many frames are valid; the graph must only be run with all frames valid.
    The path is None if the graph has no unsigned weights or might give other results on this processor: then load the
    original file. A file that is not ONNX also gives None; the runtime reports the error.
    """
    if not has_vnni() or not _adds_up_exactly():
        yield None
        return
    with file_in_memory() as (out, path):
        yield path if _rewrite(graph, lengths, out) else None


def _rewrite(graph: Path, lengths: Collection[str], out: BinaryIO) -> bool:
    try:
        model = read_onnx(graph)
    except ValueError:
        return False
    weights = _unsigned_weights(model)
    inner = any(node.kind in WITH_INNER_GRAPHS for node in model.nodes)
    if not weights or inner or model.has_files_beside:
        return False
    model.sign(weights)
    masked, widened = _drop_masks(model, lengths), _widen_convolutions(model)
    logger.debug(
        "%s: made %d tensors signed, dropped %d masks, made %d convolutions 2-D",
        graph, len(weights), masked, widened,
    )  # fmt: skip
    model.write(out)
    return True


def _unsigned_weights(model: OnnxFile) -> set[str]:
    """Return the weights and zero points of all products; none if any of them is used for anything else."""
    unsigned = {name for name, tensor in model.tensors.items() if tensor.kind == onnx_file.UINT8 and tensor.is_here}
    found: set[str] = set()
    others = {*model.inputs, *model.outputs}
    for node in model.nodes:
        inputs = list(node.inputs)
        if node.kind == PRODUCT and len(inputs) > ZERO_POINTS and {inputs[WEIGHTS], inputs[ZERO_POINTS]} <= unsigned:
            found |= {inputs.pop(ZERO_POINTS), inputs.pop(WEIGHTS)}
        others.update(inputs)
    return found if found.isdisjoint(others) else set()


def _drop_masks(model: OnnxFile, lengths: Collection[str]) -> int:
    """Bypass masks, so that readers of masked values read the values; return how many masks were dropped.

    No mask is dropped if a length is fixed, because short clips are padded then.
    """
    fixed = any(sizes[1] is not None for sizes in model.inputs.values() if len(sizes) > 2)
    if fixed:
        return 0
    masks, from_data = _masks(model, lengths)
    instead: dict[str, str] = {}
    for node in model.nodes:
        values = _masked_values(node, masks, from_data)
        if values is not None and model.outputs.isdisjoint(node.outputs):
            instead[node.outputs[0]] = instead.get(values, values)
    nodes = [
        replace(node, inputs=tuple(instead.get(name, name) for name in node.inputs))
        for node in model.nodes
        if instead.keys().isdisjoint(node.outputs)
    ]
    model.nodes = _without_unread(nodes, model.outputs)
    return len(instead)


def _masks(model: OnnxFile, lengths: Collection[str]) -> tuple[set[str], set[str]]:
    """Return two sets of tensors: masks, and those that depend on the content of other inputs.

    Masks only say which frames are valid: they are made of positions compared with the lengths. If all frames are
    valid, a mask has the same value everywhere. That value must be the one that keeps frames; otherwise the input of
    the graph would have no effect at all.
    """
    counts, positions, masks = set(lengths), set[str](), set[str]()
    from_data = {*model.inputs} - counts
    for node in model.nodes:
        read, outputs = set(node.inputs), set(node.outputs)
        if node.kind != "Shape" and not read.isdisjoint(from_data):  # a size does not depend on the values
            from_data |= outputs
        elif node.kind == "Range":
            positions |= outputs
        elif node.kind in COMPARISONS and not read.isdisjoint(counts) and not read.isdisjoint(positions):
            masks |= outputs
        elif node.kind in RESHAPING | {"Add"} and not read.isdisjoint(counts):
            counts |= outputs
        elif node.kind in RESHAPING and not read.isdisjoint(positions):
            positions |= outputs
        elif node.kind in RESHAPING | TURNING and not read.isdisjoint(masks):
            masks |= outputs
    return masks, from_data


def _masked_values(node: Node, masks: set[str], from_data: set[str]) -> str | None:
    """Return the tensor that `node` masks, if it does: `x · mask`, or a constant in place of some values of `x`.

    `x` depends on the data. Other products with a mask may be added to scores, and are 0 if all frames are valid.
    """
    is_product = node.kind == "Mul" and not masks.isdisjoint(node.inputs)
    is_choice = node.kind == "Where" and node.inputs[0] in masks
    values = [name for name in node.inputs if name in from_data] if is_product or is_choice else []
    return values[0] if len(values) == 1 else None


def _widen_convolutions(model: OnnxFile) -> int:
    """Convert each depthwise 1-D convolution to 2-D; return how many."""
    if model.opset < AXES_ARE_INPUTS:
        return 0
    readers = Counter([*model.inputs, *(name for node in model.nodes for name in node.inputs)])
    nodes: list[Node] = []
    widened = 0
    for node in model.nodes:
        own = node.kind == "Conv" and readers[node.inputs[1]] == 1
        wide = _widened(node, model) if own else []
        nodes += wide or [node]
        widened += bool(wide)
    model.nodes = nodes
    if widened:
        model.tensors[AXIS] = Tensor.of_integers(AXIS, [2])
    return widened


def _widened(node: Node, model: OnnxFile) -> list[Node]:
    """Return the nodes that replace a depthwise convolution `[C, 1, taps]` by `[C, 1, 1, taps]`; else an empty list."""
    kernel = model.tensors.get(node.inputs[1])
    if kernel is None or len(kernel.shape) != 3 or kernel.shape[1] != 1:
        return []
    attributes = node.attributes()
    plain = all(attributes.get(name, [1]) == [1] for name in ("strides", "dilations"))
    if not plain or attributes.get("auto_pad", "NOTSET") != "NOTSET" or attributes.get("group") != [kernel.shape[0]]:
        return []
    channels, _, taps = kernel.shape
    before, after = map(int, attributes.get("pads", [0, 0]))
    model.tensors[node.inputs[1]] = replace(kernel, shape=(channels, 1, 1, taps))
    (result,) = node.outputs
    wide, convolved = f"{result}/2-D", f"{result}/2-D/convolved"
    sizes = {"kernel_shape": [1, taps], "pads": [0, before, 0, after]}
    return [
        Node.made("Unsqueeze", [node.inputs[0], AXIS], wide),
        Node.made("Conv", [wide, *node.inputs[1:]], convolved, group=channels, **sizes),
        Node.made("Squeeze", [convolved, AXIS], result),
    ]


def _without_unread(nodes: list[Node], outputs: set[str]) -> list[Node]:
    read, kept = set(outputs), list[Node]()
    for node in reversed(nodes):
        if not read.isdisjoint(node.outputs):
            kept.append(node)
            read.update(node.inputs)
    return kept[::-1]


@cache
def _adds_up_exactly() -> bool:
    """Whether the runtime on this processor multiplies unsigned by signed numbers without saturation."""
    activations = np.full((1, 64), 255, np.uint8)
    weights = np.repeat(np.array([[127, -128]], np.int8), 64, axis=0)
    with file_in_memory() as (out, path):
        out.write(_product_graph(weights))
        out.flush()
        session = make_session(path, threads=1)
    (sums,) = session.run(None, {"a": activations})
    return bool((sums == activations.astype(np.int32) @ weights.astype(np.int32)).all())


def _product_graph(weights: NDArray[np.int8]) -> bytes:
    """Return an ONNX file with one product: `a` uint8 `[1, k]` times `weights` int8 `[k, n]` is `y` int32 `[1, n]`."""
    message, integer = protobuf.message, protobuf.integer

    def value(field: int, name: str, kind: int, *sizes: int) -> bytes:
        shape = (message(onnx_file.DIMENSION, integer(onnx_file.DIMENSION_VALUE, size)) for size in sizes)
        tensor = integer(onnx_file.ELEMENT_TYPE, kind) + message(onnx_file.SHAPE, *shape)
        typed = message(onnx_file.VALUE_TYPE, message(onnx_file.TYPE_TENSOR, tensor))
        return message(field, message(onnx_file.VALUE_NAME, name.encode()), typed)

    node = message(
        onnx_file.GRAPH_NODE,
        *(message(onnx_file.NODE_INPUT, name) for name in (b"a", b"b")),
        message(onnx_file.NODE_OUTPUT, b"y"),
        message(onnx_file.NODE_OP_TYPE, PRODUCT.encode()),
    )
    constant = message(
        onnx_file.GRAPH_INITIALIZER,
        *(integer(onnx_file.TENSOR_DIMS, size) for size in weights.shape),
        integer(onnx_file.TENSOR_TYPE, onnx_file.INT8),
        message(onnx_file.TENSOR_NAME, b"b"),
        message(onnx_file.TENSOR_RAW, weights.tobytes()),
    )
    rows, columns = weights.shape
    edges = value(onnx_file.GRAPH_INPUT, "a", onnx_file.UINT8, 1, rows)
    edges += value(onnx_file.GRAPH_OUTPUT, "y", onnx_file.INT32, 1, columns)
    graph = message(onnx_file.MODEL_GRAPH, node, message(2, b"product"), constant, edges)
    return integer(1, 7) + graph + message(8, integer(2, 14))  # ONNX IR version 7, opset 14
