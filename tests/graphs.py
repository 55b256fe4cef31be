"""A graph small enough to see through, for tests of what runs graphs."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_graph(path: Path, frames: int | str) -> Path:
    """`sum` of `x` over its frames, divided by `count`."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["x", "axes"], ["total"], keepdims=0, name="sum"),
            helper.make_node("Cast", ["count"], ["divisor"], to=TensorProto.FLOAT, name="cast"),
            helper.make_node("Div", ["total", "divisor"], ["mean"], name="divide"),
        ],
        "mean",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, frames, 2]),
            helper.make_tensor_value_info("count", TensorProto.INT32, [1]),
        ],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    helper.set_model_props(model, {"maker": "test"})
    onnx.save(model, path)
    return path
