"""Lower a graph to an opset that older NPU compilers read, with LayerNormalization spelt out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, defs, helper, numpy_helper

from funasr_cli.errors import ModelError

TARGET = 16
"""The last opset before LayerNormalization became one operator."""

TARGET_IR = 8
"""The version of the ONNX file format that belongs to opset 16."""

WIDENED = frozenset({"Cast", "Constant", "ConstantOfShape", "Equal", "Identity", "Reshape", "Shape", "Size",
                     "Squeeze", "Transpose", "Unsqueeze", "Flatten", "If", "Loop", "Scan"})  # fmt: skip
"""Operators whose later versions only support more types than opset 16's."""

Lowering = Callable[[NodeProto, Mapping[str, np.ndarray]], Iterator[NodeProto]]


def lower(model: ModelProto) -> None:
    """Rewrite `model` in place to opset 16, or leave a lower opset.

    Raises `ModelError` with the name of an operator that opset 16 cannot express.
    """
    version = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    foreign = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if foreign:
        raise ModelError(f"NPU compilers do not support the graph's operators of {', '.join(sorted(foreign))}")
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in _small_constants(model)}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if _same_in_target(node, version):
            nodes.append(node)
        elif node.op_type in LOWERINGS:
            nodes += LOWERINGS[node.op_type](node, constants)
        else:
            raise ModelError(f"operator {node.op_type} of opset {version} cannot be written in opset {TARGET}")
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", min(version, TARGET)))
    model.ir_version = min(model.ir_version, TARGET_IR)


def _same_in_target(node: NodeProto, version: int) -> bool:
    if version <= TARGET or node.op_type in WIDENED:
        return True
    since: int = defs.get_schema(node.op_type, version).since_version
    return since <= TARGET


def _small_constants(model: ModelProto) -> Iterator[TensorProto]:
    """Yield initialisers and Constant nodes that can be axes or sizes, but not weights."""
    for tensor in model.graph.initializer:
        if len(tensor.dims) <= 1 and tensor.data_type == TensorProto.INT64:
            yield tensor
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = onnx.TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            yield tensor


def _layer_norm(node: NodeProto, constants: Mapping[str, np.ndarray]) -> Iterator[NodeProto]:
    """Spell out (x − mean) / sqrt(variance + ε) · scale + bias over the last axis (Ba et al. 2016)."""
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if attributes.get("axis", -1) != -1 or any(node.output[1:]):
        raise ModelError(f"{node.name}: only LayerNormalization over the last axis, with one output, can be spelt out")
    x, scale, *bias = node.input
    prefix = f"{node.output[0]}/spelt"
    epsilon = helper.make_tensor(f"{prefix}/epsilon", TensorProto.FLOAT, [], [attributes.get("epsilon", 1e-5)])

    def step(kind: str, inputs: list[str], to: str, **more: Any) -> NodeProto:
        return helper.make_node(kind, inputs, [to], name=f"{to}/{kind}", **more)

    mean, centred, square, variance = (f"{prefix}/{part}" for part in ("mean", "centred", "square", "variance"))
    padded, deviation, normal, scaled = (f"{prefix}/{part}" for part in ("padded", "deviation", "normal", "scaled"))
    yield helper.make_node("Constant", [], [epsilon.name], name=epsilon.name, value=epsilon)
    yield step("ReduceMean", [x], mean, axes=[-1], keepdims=1)
    yield step("Sub", [x, mean], centred)
    yield step("Mul", [centred, centred], square)
    yield step("ReduceMean", [square], variance, axes=[-1], keepdims=1)
    yield step("Add", [variance, epsilon.name], padded)
    yield step("Sqrt", [padded], deviation)
    yield step("Div", [centred, deviation], normal)
    yield step("Mul", [normal, scale], scaled if bias else node.output[0])
    if bias:
        yield step("Add", [scaled, bias[0]], node.output[0])


def _axes_as_attribute(node: NodeProto, constants: Mapping[str, np.ndarray]) -> Iterator[NodeProto]:
    """Make the axes an attribute; from opset 18 on, reductions take them as an input."""
    older = NodeProto()
    older.CopyFrom(node)
    if len(node.input) > 1:
        if node.input[1] not in constants:
            raise ModelError(f"{node.name}: {node.op_type} has computed axes; opset {TARGET} needs constants")
        del older.input[1:]
        older.attribute.append(helper.make_attribute("axes", constants[node.input[1]].tolist()))
    for attribute in [a for a in older.attribute if a.name == "noop_with_empty_axes"]:
        older.attribute.remove(attribute)
    yield older


def _without(*attributes: str, inputs: int | None = None) -> Lowering:
    """Drop `attributes` and later `inputs` that the older operator lacks, if its meaning stays the same."""

    def lowered(node: NodeProto, constants: Mapping[str, np.ndarray]) -> Iterator[NodeProto]:
        older = NodeProto()
        older.CopyFrom(node)
        for attribute in [a for a in older.attribute if a.name in attributes]:
            older.attribute.remove(attribute)
        del older.input[len(older.input) if inputs is None else inputs :]
        yield older

    return lowered


LOWERINGS: Mapping[str, Lowering] = {
    "LayerNormalization": _layer_norm,
    "Split": _without("num_outputs"),  # without it, evenly over the outputs; `build` compares the results later
    **dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"), _axes_as_attribute),
}
