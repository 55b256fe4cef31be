"""The small SenseVoice model of the tests, which is stored with 8-bit weights, converted to float32."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.conftest import NANO

GONE = ("_output_quantized", "_quant_scales_mul:0")


def write_float32_nano(folder: Path) -> Path:
    """Make a folder in FunASR's published layout, with `model.onnx`: each quantised product becomes a plain one."""
    shutil.copytree(NANO, folder, ignore=shutil.ignore_patterns("*.onnx", "*.flac"))
    model = onnx.load(NANO / "model_quant.onnx")
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    products = {}
    for node in model.graph.node:
        if node.op_type == "MatMulInteger":
            activations, matrix = (name.removesuffix("_quantized") for name in node.input[:2])
            zero, scale = weights[f"{matrix}_zero_point"], weights[f"{matrix}_scale"]
            values = (weights[f"{matrix}_quantized"].astype(np.float32) - zero) * scale
            model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), matrix))
            result = node.output[0].removesuffix(GONE[0])
            products[result] = helper.make_node("MatMul", [activations, matrix], [result], name=result)
    nodes = []
    for node in model.graph.node:
        if node.output[0] in products:
            nodes.append(products[node.output[0]])
        elif not (
            node.op_type in ("DynamicQuantizeLinear", "MatMulInteger")
            or (node.input and node.input[0].endswith(GONE[0]))
            or node.output[0].endswith(GONE[1])
        ):  # fmt: skip
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"
