"""ONNX Runtime as an executor: checks, padding, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from funasr_cli.errors import DeviceError, ModelError
from funasr_cli.executors.onnx import OnnxExecutor
from tests.support.graphs import write_graph


def executor(path: Path) -> OnnxExecutor:
    return OnnxExecutor(path, precision="float32", threads=1)


def inputs(frames: int) -> dict[str, np.ndarray]:
    return {"x": np.ones((1, frames, 2), np.float32), "count": np.array([frames], np.int32)}


def test_it_says_what_the_graph_takes_gives_and_is(tmp_path: Path) -> None:
    graph = executor(write_graph(tmp_path / "g.onnx", "frames"))
    assert [(spec.name, spec.dtype, spec.shape) for spec in graph.inputs] == [
        ("x", np.float32, (1, None, 2)),
        ("count", np.int32, (1,)),
    ]
    assert [(spec.name, spec.shape) for spec in graph.outputs] == [("mean", (1, 2))]
    assert (graph.metadata, graph.device) == ({"maker": "test"}, "cpu (float32)")
    graph.close()


@pytest.mark.parametrize("frames", ["frames", 10])
def test_a_fixed_graph_is_padded_with_zeros_and_a_free_one_runs_what_there_is(
    tmp_path: Path, frames: int | str
) -> None:
    outputs = executor(write_graph(tmp_path / "g.onnx", frames)).run(inputs(7))
    assert outputs["mean"].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x": np.ones((1, 11, 2), np.float32)},
            r"tensor 'x': expected float32 \[1, 10, 2\], got float32 \[1, 11, 2\]",
        ),
        ({"x": np.ones((1, 7, 2))}, r"tensor 'x': expected float32 \[1, 10, 2\], got float64 \[1, 10, 2\]"),
        ({"x": np.ones((7, 2), np.float32)}, r"tensor 'x': expected float32 \[1, 10, 2\], got float32 \[7, 2\]"),
        ({"y": np.ones(1)}, r"expected the inputs \['count', 'x'\], got \['count', 'x', 'y'\]"),
    ],
)
def test_what_does_not_fit_is_named_before_it_is_run(
    tmp_path: Path, change: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        executor(write_graph(tmp_path / "g.onnx", 10)).run({**inputs(7), **change})


def test_a_damaged_graph_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "g.onnx").write_bytes(b"rubbish")
    with pytest.raises(ModelError, match=r"g\.onnx: ONNX Runtime cannot load it"):
        executor(tmp_path / "g.onnx")


def test_a_provider_that_is_not_installed_is_never_replaced_in_silence(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"(?s)no CANNExecutionProvider.*onnxruntime-cann"):
        OnnxExecutor(write_graph(tmp_path / "g.onnx", 10), precision="float32", threads=1, provider="cann")
