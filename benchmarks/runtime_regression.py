"""Compare ONNX Runtime's products with uint8 and int8 weights: the smallest graph that shows a regression.

    python benchmarks/runtime_regression.py [--rounds 60]

DynamicQuantizeLinear and MatMulInteger, as dynamic quantisation writes them: once with uint8 weights and their zero
point, once with both reduced by 128 as int8. Both must give the same integers, which is checked. They take turns on one
thread; times are medians of processor time, and the ratio is the median of the rounds' ratios. Run it in environments
with several releases of ONNX Runtime. Needs only: pip install onnx onnxruntime.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from smoke import CommandLines, parser_of, run_benchmark, skip

ROWS, INNER, COLUMNS = 250, 512, 2048
"""Sizes of a 15 s window in a feed-forward layer of SenseVoice."""

ZERO_POINT = 120

ERRORS_ONLY = 3
"""Level of ONNX Runtime's log."""


def product(weights: NDArray[np.generic], zero_point: NDArray[np.generic]) -> bytes:
    """Return the graph: float32 `x` `[rows, INNER]` to int32 `y` `[rows, COLUMNS]`."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node("DynamicQuantizeLinear", ["x"], ["quantised", "scale", "x_zero_point"]),
            helper.make_node("MatMulInteger", ["quantised", "weights", "x_zero_point", "zero_point"], ["y"]),
        ],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, INNER])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [None, COLUMNS])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(zero_point, "zero_point")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return bytes(model.SerializeToString())


def session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def processor() -> str:
    """Return the processor's instructions for products of 8-bit integers."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").replace("\n", " ").split()
    names = {"amx_int8": "AMX", "avx512_vnni": "AVX-512 VNNI", "avx_vnni": "AVX-VNNI", "asimddp": "dot product"}
    found = [name for flag, name in names.items() if flag in flags]
    return ", ".join(found) or "no such instructions"


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args(command_line)
    generator = np.random.default_rng(0)
    unsigned = generator.integers(0, 256, (INNER, COLUMNS)).astype(np.uint8)
    signed = (unsigned.astype(np.int16) - 128).astype(np.int8)
    sessions = {
        "uint8": session(product(unsigned, np.array(ZERO_POINT, np.uint8))),
        "int8": session(product(signed, np.array(ZERO_POINT - 128, np.int8))),
    }
    feed = {"x": generator.standard_normal((ROWS, INNER)).astype(np.float32)}
    first, second = (one.run(None, feed)[0] for one in sessions.values())
    assert np.array_equal(first, second), "the results of the two differ"
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(arguments.rounds):
        for name, one in sessions.items():
            started = time.process_time()
            one.run(None, feed)
            times[name].append(1000 * (time.process_time() - started))
    ratio = median(a / b for a, b in zip(times["uint8"], times["int8"], strict=True))
    print("| ONNX Runtime | processor | uint8 weights, ms | int8 weights, ms | ratio |\n|---|---|---|---|---|")
    cells = [onnxruntime.__version__, processor(), *(f"{median(times[name]):.2f}" for name in ("uint8", "int8"))]
    print(f"| {' | '.join([*cells, f'{ratio:.2f}'])} |")


def smoke(folder: Path) -> CommandLines:
    if find_spec("onnx") is None:
        skip("needs pip install onnx")
    yield "--rounds", 2


if __name__ == "__main__":
    run_benchmark(main, smoke)
