"""Graphs are lowered to opset 16 and still compute the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from funasr_cli.errors import ModelError
from funasr_cli.export.opset import lower

X = np.random.default_rng(0).normal(2, 3, (1, 4, 6)).astype(np.float32)
CONSTANTS = [
    helper.make_tensor("scale", TensorProto.FLOAT, [6], np.linspace(0.5, 2, 6).tolist()),
    helper.make_tensor("bias", TensorProto.FLOAT, [6], np.linspace(-1, 1, 6).tolist()),
    helper.make_tensor("last", TensorProto.INT64, [1], [-1]),
]


def model(*nodes: onnx.NodeProto, shape: Sequence[str] = "abc") -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        CONSTANTS,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def run(graph: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": X})
    return np.asarray(y)


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("LayerNormalization", ["x", "scale", "bias"], ["y"], axis=-1, epsilon=1e-3)],
        [helper.make_node("LayerNormalization", ["x", "scale"], ["y"])],
        [helper.make_node("ReduceMean", ["x", "last"], ["y"], keepdims=1)],
        [helper.make_node("ReduceMax", ["x"], ["y"], keepdims=0)],
        [
            helper.make_node("Split", ["x"], ["a", "b"], axis=2, num_outputs=2),
            helper.make_node("Sub", ["a", "b"], ["y"]),
        ],
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_newer_operators_are_written_in_older_ones(nodes: list[onnx.NodeProto]) -> None:
    newer = model(*nodes, shape="ab" if "ReduceMax" in str(nodes) else "abc")
    expected = run(newer)
    lower(newer)
    onnx.checker.check_model(newer)
    assert newer.opset_import[0].version == 16
    assert newer.ir_version == 8
    assert run(newer) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("GroupNormalization", ["x", "scale", "bias"], ["y"], num_groups=2), "GroupNormalization"),
        (helper.make_node("LayerNormalization", ["x", "scale"], ["y"], name="ln", axis=1), "ln: only Layer"),
        (helper.make_node("FusedMatMul", ["x", "x"], ["y"], domain="com.microsoft"), r"com\.microsoft"),
    ],
)
def test_what_cannot_be_is_named(node: onnx.NodeProto, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        lower(model(node))
