"""The small model of the tests, compiled for the simulated NPU in every layout that the executor knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from funasr_cli.features.cmvn import read_cmvn
from tests.simulator.fixtures import compile_om

FRAMES = 100
GEARS = (34, 67, FRAMES)


@dataclass(frozen=True)
class NanoOms:
    """`folder` has the graphs, as `funasr-cli freeze` makes them. The OMs are for an Ascend310P3."""

    folder: Path
    static: Path
    half: Path
    gears: Path
    sherpa: Path


def make_nano_oms(frozen: Path, folder: Path) -> NanoOms:
    """Compile the model in `frozen`, which is for six seconds, into `folder`."""
    static = frozen / "model_6s_top5.onnx"
    prompt = "language:1;textnorm:1"
    fixed = f"speech:1,{FRAMES},560;speech_lengths:1;{prompt}"
    return NanoOms(
        frozen,
        compile_om(static, folder / "static.om", fixed),
        compile_om(static, folder / "half.om", fixed, "--input_fp16_nodes=speech", "--output_type=FP16"),
        compile_om(
            frozen / "model.onnx",
            folder / "gears.om",
            f"speech:1,-1,560;speech_lengths:1;{prompt}",
            f"--dynamic_dims={';'.join(map(str, GEARS))}",
        ),
        compile_om(write_sherpa_graph(frozen, folder / "sherpa.onnx"), folder / "sherpa.om", "x:1,-1,560;prompt:4"),
    )


def write_sherpa_graph(folder: Path, target: Path) -> Path:
    """Write the graph with free dimensions in sherpa-onnx's form for Ascend: `x` and `prompt` in, `logits` out.

    Normalisation is part of the graph, and no output gives the number of valid frames.
    """
    model = onnx.load(folder / "model.onnx")
    cmvn = read_cmvn(folder / "am.mvn")
    constants: dict[str, NDArray[Any]] = {
        "sherpa/mean": cmvn.neg_mean,
        "sherpa/std": cmvn.inv_std,
        "sherpa/one": np.array([1], np.int64),
        "sherpa/first": np.array([0], np.int64),
        "sherpa/last": np.array([3], np.int64),
    }
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    front = [
        helper.make_node("Add", ["x", "sherpa/mean"], ["sherpa/shifted"]),
        helper.make_node("Mul", ["sherpa/shifted", "sherpa/std"], ["speech"]),
        helper.make_node("Shape", ["x"], ["sherpa/shape"]),
        helper.make_node("Gather", ["sherpa/shape", "sherpa/one"], ["sherpa/frames"]),
        helper.make_node("Cast", ["sherpa/frames"], ["speech_lengths"], to=TensorProto.INT32),
        helper.make_node("Gather", ["prompt", "sherpa/first"], ["language"]),
        helper.make_node("Gather", ["prompt", "sherpa/last"], ["textnorm"]),
    ]
    nodes = [*front, *model.graph.node, helper.make_node("Identity", ["ctc_logits"], ["logits"], name="out")]
    vocabulary = model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    del model.graph.node[:], model.graph.input[:], model.graph.output[:], model.metadata_props[:]
    model.graph.node.extend(nodes)
    model.graph.input.extend(
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", 560]),
            helper.make_tensor_value_info("prompt", TensorProto.INT32, [4]),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T_4", vocabulary]))
    onnx.save(model, target)
    return target


def inputs(frames: int) -> dict[str, np.ndarray]:
    """Return a window of noise for the static OM; always the same."""
    speech = np.random.default_rng(frames).standard_normal((1, frames, 560), np.float32)
    scalars = {"speech_lengths": frames, "language": 3, "textnorm": 14}
    return {"speech": speech, **{name: np.array([value], np.int32) for name, value in scalars.items()}}
