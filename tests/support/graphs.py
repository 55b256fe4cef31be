"""Graphs small enough to understand, for tests of code that runs graphs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = 25_055
"""The number of labels of SenseVoice-small."""


def write_graph(path: Path, frames: int | str) -> Path:
    """Write a graph: `sum` of `x` over its frames, divided by `count`."""
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


def write_sensevoice(folder: Path) -> Path:
    """Write a model in the published layout whose tensors have SenseVoice's names and full sizes, but few computations.

    The score of a label is a share that grows with the label and with the mean of a frame's features.
    """
    folder.mkdir(parents=True)
    named: dict[str, tuple[int, Sequence[str | int | None]]]
    named = {"speech": (TensorProto.FLOAT, ["batch_size", "feats_length", 560])}
    named |= {name: (TensorProto.INT32, ["batch_size"]) for name in ("speech_lengths", "language", "textnorm")}
    shares = np.linspace(0.0, 50.0, LABELS, dtype=np.float32).reshape(1, 1, LABELS)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["speech"], ["means"], axes=[2], keepdims=1, name="mean"),
            helper.make_node("Pad", ["means", "tags"], ["frames"], name="pad"),
            helper.make_node("Add", ["language", "textnorm"], ["prompt"], name="prompt"),
            helper.make_node("Cast", ["prompt"], ["asked"], to=TensorProto.FLOAT, name="cast"),
            helper.make_node("Unsqueeze", ["asked", "axes"], ["everywhere"], name="unsqueeze"),
            helper.make_node("Add", ["frames", "everywhere"], ["heard"], name="hear"),
            helper.make_node("Mul", ["heard", "shares"], ["ctc_logits"], name="score"),
            helper.make_node("Add", ["speech_lengths", "four"], ["encoder_out_lens"], name="valid"),
        ],
        "sensevoice",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in named.items()],
        [
            helper.make_tensor_value_info("ctc_logits", TensorProto.FLOAT, ["batch_size", "logits_length", LABELS]),
            helper.make_tensor_value_info("encoder_out_lens", TensorProto.INT32, ["batch_size"]),
        ],
        [
            numpy_helper.from_array(shares, "shares"),
            helper.make_tensor("tags", TensorProto.INT64, [6], [0, 4, 0, 0, 0, 0]),
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("four", TensorProto.INT32, [1], [4]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    helper.set_model_props(model, {"neg_mean": ",".join(["0"] * 560), "inv_stddev": ",".join(["1"] * 560)})
    onnx.save(model, folder / "model.onnx")
    (folder / "tokens.txt").write_text("".join(f"p{number} {number}\n" for number in range(LABELS)), encoding="utf-8")
    return folder / "model.onnx"
