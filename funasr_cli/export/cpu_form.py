"""Rewrite a graph so that a CPU runs one unpadded clip fastest: without masks, with FSMN memories in 2-D.

FunASR writes a memory as a depthwise Conv over `[1, C, T]`, which ONNX Runtime runs channel by channel. Over `[1, C, 1,
T]` it runs in a blocked form, and the Transposes around it become part of the reordering for that form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from funasr_cli.export.fold import fold
from funasr_cli.recognizers.sensevoice.graph import FUNASR

LENGTHS = FUNASR["lengths"]
"""The input that masks depend on: the number of valid frames of each clip."""

MIN_OPSET = 13
"""The first opset in which Unsqueeze and Squeeze take their axes as an input."""


def cpu_form(model: ModelProto, scratch: Path) -> ModelProto:
    """Return a copy of `model` that gives the same results for batch 1 if `speech_lengths` is the number of frames.

    `model` has FunASR's names and free dimensions; the copy has the same inputs, outputs and metadata, and float32
    weights. Unknown structures stay as they are. The folder `scratch` temporarily needs twice the model's size.

    Raises `ModelError` if ONNX Runtime cannot load the graph.
    """
    made = fold(model, scratch)
    opset = next(entry.version for entry in made.opset_import if entry.domain in ("", "ai.onnx"))
    branches = any(attribute.HasField("g") for node in made.graph.node for attribute in node.attribute)
    if opset >= MIN_OPSET and not branches:  # a branch reads tensors of the graph that are not inputs of its node
        drop_masks(made.graph)
        widen_memories(made.graph)
        _drop_unused(made.graph)
    return made


def drop_masks(graph: GraphProto) -> None:
    """Make the readers of `Where(mask, scalar, x)`, `Where(mask, x, scalar)` or `Mul(x, mask)` read x.

    A mask depends on the content of `speech_lengths`, and on other inputs only through their shapes; x depends on their
    content.
    """
    data = _fed_by(graph, {tensor.name for tensor in graph.input} - {LENGTHS})
    masks = _fed_by(graph, {LENGTHS}) - data
    scalars = {tensor.name for tensor in graph.initializer if np.prod(tensor.dims) == 1}
    outputs = {tensor.name for tensor in graph.output}
    unmasked: dict[str, str] = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = unmasked.get(name, name)
        if node.op_type == "Where" and node.input[0] in masks:
            values, others = node.input[1:], scalars
        elif node.op_type == "Mul":
            values, others = node.input[:], masks
        else:
            continue
        for x, other in (values, values[::-1]):
            if x in data and other in others and node.output[0] not in outputs:
                unmasked[node.output[0]] = x


def widen_memories(graph: GraphProto) -> None:
    """Rewrite every FSMN block, `v + transposed(depthwise Conv1d(transposed(v)))`, as one depthwise 2-D convolution."""
    memories = {memory.result: memory for memory in _memories(graph)}
    nodes = list[NodeProto]()
    for node in graph.node:
        if node.output[0] in memories:
            nodes += memories[node.output[0]].widened(graph)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


@dataclass(frozen=True, slots=True)
class _Memory:
    """An FSMN block: its input `[1, frames, C]` and its output; its kernel, float32 `[C, 1, taps]`; its padding."""

    source: str
    result: str
    kernel: NDArray[np.float32]
    before: int
    after: int

    def widened(self, graph: GraphProto) -> Iterator[NodeProto]:
        """Yield the nodes of the 2-D form, and add its constants to `graph`."""
        prefix = f"{self.result}/cpu"
        kernel = self.kernel.copy()
        kernel[:, 0, self.before] += 1  # the frame itself: the block adds its input to the convolution
        weight = numpy_helper.from_array(kernel[:, :, np.newaxis], f"{prefix}/kernel")
        axis = numpy_helper.from_array(np.array([1], np.int64), f"{prefix}/axis")
        graph.initializer.extend([weight, axis])
        steps: list[tuple[str, list[str], dict[str, Any]]] = [
            ("Unsqueeze", [axis.name], {}),
            ("Transpose", [], {"perm": [0, 3, 1, 2]}),
            ("Conv", [weight.name], {"group": len(kernel), "pads": [0, self.before, 0, self.after]}),
            ("Transpose", [], {"perm": [0, 2, 3, 1]}),
            ("Squeeze", [axis.name], {}),
        ]
        x = self.source
        for number, (kind, constants, attributes) in enumerate(steps, 1):
            to = self.result if number == len(steps) else f"{prefix}/{number}"
            yield helper.make_node(kind, [x, *constants], [to], name=f"{prefix}/{number}/{kind}", **attributes)
            x = to


def _memories(graph: GraphProto) -> Iterator[_Memory]:
    """Yield the FSMN blocks of a graph, whose frames are padded by a Pad or by the Conv."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    readers = defaultdict[str, list[str]](list)
    for node in graph.node:
        for name in node.input:
            readers[name].append(node.output[0])
    for tensor in graph.output:
        readers[tensor.name].append("")  # the reader is outside the graph

    def follower(node: NodeProto, kind: str) -> NodeProto | None:
        """Return the only reader of the output of `node`, if its operator is `kind`."""
        found = makers.get(readers[node.output[0]][0]) if len(readers[node.output[0]]) == 1 else None
        return found if found is not None and found.op_type == kind else None

    for conv in graph.node:
        if conv.op_type != "Conv" or conv.input[1] not in tensors or not _is_depthwise(conv, tensors[conv.input[1]]):
            continue
        before, after = _attributes(conv).get("pads", (0, 0))
        there, back = makers.get(conv.input[0]), follower(conv, "Transpose")
        if there is not None and _pads_frames(there, tensors):
            amounts = numpy_helper.to_array(tensors[there.input[1]]).tolist()
            before, after, there = before + amounts[2], after + amounts[5], makers.get(there.input[0])
        add = follower(back, "Add") if back is not None else None
        if there is None or back is None or add is None or not (_swaps(there) and _swaps(back)):
            continue
        kernel = numpy_helper.to_array(tensors[conv.input[1]])
        if before + after == kernel.shape[2] - 1 and sorted(add.input) == sorted([there.input[0], back.output[0]]):
            yield _Memory(there.input[0], add.output[0], kernel, before, after)


def _is_depthwise(conv: NodeProto, kernel: TensorProto) -> bool:
    """Whether a Conv convolves each channel of `[1, C, T]` separately, over every frame, without a bias."""
    attributes = _attributes(conv)
    every = all(attributes.get(name, [1]) == [1] for name in ("strides", "dilations"))
    explicit = attributes.get("auto_pad", b"NOTSET") == b"NOTSET"
    channels = [attributes.get("group"), 1]
    return every and explicit and len(conv.input) == 2 and len(kernel.dims) == 3 and list(kernel.dims[:2]) == channels


def _pads_frames(node: NodeProto, tensors: Mapping[str, TensorProto]) -> bool:
    """Whether a node only pads the frames of `[1, C, T]` with zeros, before and after."""
    if node.op_type != "Pad" or any(name and name not in tensors for name in node.input[1:]):
        return False
    amounts, *values = [numpy_helper.to_array(tensors[name]) for name in node.input[1:] if name]
    constant = _attributes(node).get("mode", b"constant") == b"constant"
    return constant and amounts.shape == (6,) and not amounts[[0, 1, 3, 4]].any() and not any(map(np.any, values))


def _swaps(node: NodeProto) -> bool:
    """Whether a node swaps frames and channels."""
    return node.op_type == "Transpose" and _attributes(node).get("perm") == [0, 2, 1]


def _attributes(node: NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _fed_by(graph: GraphProto, inputs: set[str]) -> set[str]:
    """Return the tensors that depend on the content of `inputs`; a shape does not."""
    fed = set(inputs)
    for node in graph.node:
        if node.op_type != "Shape" and not fed.isdisjoint(node.input):
            fed.update(name for name in node.output if name)
    return fed


def _drop_unused(graph: GraphProto) -> None:
    """Drop nodes and initialisers that no output depends on, and the recorded shapes of inner tensors."""
    needed = {tensor.name for tensor in graph.output}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if needed.isdisjoint(node.output):
            del graph.node[index]
        else:
            needed.update(node.input)
    for index in reversed(range(len(graph.initializer))):
        if graph.initializer[index].name not in needed:
            del graph.initializer[index]
    del graph.value_info[:]
