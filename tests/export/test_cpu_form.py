"""The CPU form of graphs computes the same without masks, and with memories convolved in two dimensions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from funasr_cli.errors import ModelError
from funasr_cli.executors.placement import Placement
from funasr_cli.export import compare
from funasr_cli.export.cpu_form import cpu_form, drop_masks, widen_memories
from funasr_cli.export.make import from_graph
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.window_runner import load_window_runner
from funasr_cli.recognizers.base import Request
from funasr_cli.system.onnx_sessions import make_session
from tests.conftest import NANO
from tests.support.meetings import samples_of

LAYERS = 8
PRODUCTS_PER_LAYER = 4
CHANNELS, TAPS = 6, 5


@pytest.fixture(scope="module")
def cpu(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model in its CPU form, float32."""
    folder = tmp_path_factory.mktemp("cpu")
    made = cpu_form(onnx.load(frozen / "model.onnx"), folder)
    onnx.checker.check_model(made)
    onnx.save(made, folder / "model_cpu.onnx")
    return folder / "model_cpu.onnx"


@pytest.fixture(scope="module")
def int8(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `freeze --int8` makes of the small model."""
    target = tmp_path_factory.mktemp("int8") / "nano"
    from_graph(published, target, window=6.0, topk=5, int8=True, tell=lambda _: None)
    return target


def kinds(graph: GraphProto) -> Counter[str]:
    return Counter(node.op_type for node in graph.node)


def kernels(graph: GraphProto) -> Iterator[list[int]]:
    """Yield the size of the kernel of each convolution."""
    sizes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    return (sizes[node.input[1]] for node in graph.node if node.op_type == "Conv")


def test_results_at_any_length_are_those_of_the_graph_it_was_made_from(cpu: Path, frozen: Path) -> None:
    assert compare.hold_against(cpu, frozen / "model.onnx", 250, padded=False) < compare.MAX_DIFFERENCE


def test_no_mask_is_left_and_every_memory_is_one_convolution(cpu: Path, frozen: Path) -> None:
    before, after = onnx.load(frozen / "model.onnx").graph, onnx.load(cpu).graph
    assert kinds(before)["Where"] == 2 * LAYERS
    assert kinds(after)["Where"] == kinds(after)["Pad"] == 0
    assert list(kernels(before)) == [[256, 1, 11]] * LAYERS
    assert list(kernels(after)) == [[256, 1, 1, 11]] * LAYERS
    assert kinds(after)["MatMul"] == kinds(before)["MatMul"]


def test_what_masks_the_frames_is_read_for_the_number_of_valid_ones_only(cpu: Path) -> None:
    graph = onnx.load(cpu).graph
    fed = {"speech_lengths"}
    for node in graph.node:
        if not fed.isdisjoint(node.input):
            fed.update(node.output)
    assert "encoder_out_lens" in fed
    assert "ctc_logits" not in fed


def test_the_int8_graph_has_this_form_and_all_its_products_in_8_bits(int8: Path) -> None:
    graph = onnx.load(int8 / "model_quant.onnx").graph
    assert kinds(graph)["Where"] == 0
    assert list(kernels(graph)) == [[256, 1, 1, 11]] * LAYERS
    assert kinds(graph)["MatMulInteger"] == PRODUCTS_PER_LAYER * LAYERS + 1  # the last product gives the labels
    assert kinds(graph)["DynamicQuantizeLinear"] == kinds(graph)["MatMulInteger"]
    assert kinds(graph)["MatMul"] == 2 * LAYERS  # in attention, which has no weights


def test_the_int8_graph_is_accounted_for_like_the_one_it_was_made_from(int8: Path) -> None:
    account = yaml.safe_load((int8 / "model.yaml").read_text(encoding="utf-8"))
    assert account["graphs"]["model_quant.onnx"] == account["graphs"]["model.onnx"]
    assert "model_quant.onnx" in account["sha256"]
    assert sorted(path.name for path in int8.glob("*.onnx")) == ["model.onnx", "model_6s_top5.onnx", "model_quant.onnx"]
    old, new = (
        {entry.key: entry.value for entry in onnx.load(int8 / name).metadata_props}
        for name in ("model.onnx", "model_quant.onnx")
    )
    assert old.items() <= new.items()


def test_the_int8_graph_hears_what_the_float32_one_hears(int8: Path) -> None:
    samples = samples_of(NANO / "words-with-pauses.flac")[:96_000]
    heard = []
    for precision in ("float32", "int8"):
        runner = load_window_runner(find_model(str(int8), precision=precision), Placement(1))
        outputs = runner.graph_runner.executor.run(runner.recognizer.prepare(samples, Request()))
        heard.append([token.text for token in runner.recognizer.decode(outputs, Request()).tokens])
    assert heard[0] == heard[1] != []


def test_a_form_that_computes_something_else_leaves_no_folder(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: ModelProto, scratch: Path) -> ModelProto:
        made = cpu_form(model, scratch)
        kernel = next(tensor for tensor in made.graph.initializer if list(tensor.dims) == [256, 1, 1, 11])
        kernel.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(kernel) + 1, kernel.name))
        return made

    monkeypatch.setattr("funasr_cli.export.folder.cpu_form", broken)
    with pytest.raises(ModelError, match=r"results of model_cpu\.onnx differ from those of the original graph"):
        from_graph(published, tmp_path / "out", window=6.0, topk=5, int8=True, tell=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def memory(
    *, pad: dict[str, Any] | None = None, amounts: tuple[int, ...] = (0, 0, 2, 0, 0, 2), added: str = "v", **conv: Any
) -> ModelProto:
    """Return a graph: `y` is twice `x` plus its memory; a Pad with the attributes `pad`, or the Conv, adds padding."""
    rng = np.random.default_rng(0)
    source = "padded" if pad is not None else "across"
    convolution = {"group": CHANNELS, "pads": [0, 0] if pad is not None else [2, 2]} | conv
    padding = [helper.make_node("Pad", ["across", "amounts"], ["padded"], **pad)] if pad is not None else []
    nodes = [
        helper.make_node("Add", ["x", "x"], ["v"]),
        helper.make_node("Transpose", ["v"], ["across"], perm=[0, 2, 1]),
        *padding,
        helper.make_node("Conv", [source, "kernel"], ["convolved"], **convolution),
        helper.make_node("Transpose", ["convolved"], ["back"], perm=[0, 2, 1]),
        helper.make_node("Add", ["back", added], ["y"]),
    ]
    kernel = rng.standard_normal((CHANNELS, CHANNELS // convolution["group"], TAPS)).astype(np.float32)
    return with_frames(nodes, numpy_helper.from_array(kernel, "kernel"), int64("amounts", amounts))


def with_frames(nodes: list[NodeProto], *constants: TensorProto) -> ModelProto:
    frames = ["batch", "frames", CHANNELS]
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, frames),
            helper.make_tensor_value_info("speech_lengths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "outputs", CHANNELS])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def int64(name: str, values: tuple[int, ...]) -> TensorProto:
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)


def run(model: ModelProto, folder: Path) -> np.ndarray:
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")
    x = np.random.default_rng(1).standard_normal((1, 9, CHANNELS)).astype(np.float32)
    (y,) = make_session(folder / "model.onnx").run(None, {"x": x, "speech_lengths": np.array([9], np.int32)})
    return np.asarray(y)


@pytest.mark.parametrize(
    "model",
    [memory(), memory(pads=[4, 0]), memory(pad={}), memory(pad={}, amounts=(0, 0, 1, 0, 0, 3))],
    ids=["padded by the Conv", "the past only", "padded by a Pad", "padded unevenly"],
)
def test_a_memory_is_recognised_by_its_pattern(model: ModelProto, tmp_path: Path) -> None:
    expected = run(model, tmp_path)
    widen_memories(model.graph)
    assert list(kernels(model.graph)) == [[CHANNELS, 1, TAPS], [CHANNELS, 1, 1, TAPS]]  # the old one, now unused
    assert run(model, tmp_path) == pytest.approx(expected, abs=1e-5)
    assert run(cpu_form(model, tmp_path), tmp_path) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        memory(added="x"),
        memory(group=2),
        memory(dilations=[2], pads=[4, 4]),
        memory(pad={"mode": "reflect"}),
        memory(pad={}, amounts=(0, 0, 0, 0, 0, 0), pads=[2, 2], auto_pad="SAME_UPPER"),
    ],
    ids=["adds something else", "not depthwise", "dilated", "reflects", "pads by itself"],
)
def test_what_is_not_a_memory_stays_as_it_is(model: ModelProto) -> None:
    before = model.SerializeToString()
    widen_memories(model.graph)
    assert model.SerializeToString() == before


def masked(*nodes: NodeProto) -> ModelProto:
    """Return a graph in which `mask` is true for each valid frame of `x`, `[frames, 1]`."""
    return with_frames(
        [
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("Gather", ["shape", "one"], ["frames"]),
            helper.make_node("Range", ["zero", "frames", "one"], ["numbers"]),
            helper.make_node("Cast", ["speech_lengths"], ["lengths"], to=TensorProto.INT64),
            helper.make_node("Less", ["numbers", "lengths"], ["row"]),
            helper.make_node("Unsqueeze", ["row", "axes"], ["mask"]),
            *nodes,
        ],
        helper.make_tensor("zero", TensorProto.INT64, [], [0]),
        helper.make_tensor("one", TensorProto.INT64, [], [1]),
        int64("axes", (1,)),
        helper.make_tensor("none", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("bias", TensorProto.FLOAT, [CHANNELS], list(range(CHANNELS))),
    )


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("Where", ["mask", "v", "none"], ["w"])],
        [helper.make_node("Not", ["mask"], ["masked"]), helper.make_node("Where", ["masked", "none", "v"], ["w"])],
        [
            helper.make_node("Cast", ["mask"], ["factor"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["factor", "v"], ["u"]),
            helper.make_node("Mul", ["u", "factor"], ["w"]),
        ],
    ],
    ids=["Where", "Where not", "Mul"],
)
def test_a_mask_is_recognised_by_what_it_depends_on(nodes: list[NodeProto], tmp_path: Path) -> None:
    model = masked(helper.make_node("Add", ["x", "x"], ["v"]), *nodes, helper.make_node("Add", ["w", "bias"], ["y"]))
    expected = run(model, tmp_path)
    made = cpu_form(model, tmp_path)
    assert kinds(made.graph) == {"Add": 2}
    assert run(made, tmp_path) == pytest.approx(expected)


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("Where", ["mask", "x", "bias"], ["y"])],  # not a scalar
        [helper.make_node("Where", ["mask", "x", "none"], ["y"])],  # no reader: it is the output
        [
            helper.make_node("Greater", ["x", "none"], ["loud"]),
            helper.make_node("And", ["mask", "loud"], ["both"]),
            helper.make_node("Where", ["both", "x", "none"], ["w"]),
            helper.make_node("Add", ["w", "bias"], ["y"]),
        ],
    ],
    ids=["another value", "the output", "depends on the frames"],
)
def test_what_is_not_a_mask_stays_as_it_is(nodes: list[NodeProto]) -> None:
    model = masked(*nodes)
    before = model.SerializeToString()
    drop_masks(model.graph)
    assert model.SerializeToString() == before


def test_a_graph_with_branches_or_of_an_old_opset_stays_as_it_is(tmp_path: Path) -> None:
    old = memory()
    old.opset_import[0].version = 12
    assert list(kernels(cpu_form(old, tmp_path).graph)) == [[CHANNELS, 1, TAPS]]
    branch = helper.make_graph(
        [helper.make_node("Identity", ["v"], ["chosen"])],
        "branch",
        [],
        [helper.make_tensor_value_info("chosen", TensorProto.FLOAT, ["batch", "frames", CHANNELS])],
    )
    branched = memory()
    del branched.graph.node[-1]
    branched.graph.node.extend(
        [
            helper.make_node("Cast", ["speech_lengths"], ["some"], to=TensorProto.BOOL),
            helper.make_node("If", ["some"], ["w"], then_branch=branch, else_branch=branch),
            helper.make_node("Add", ["back", "v"], ["z"]),
            helper.make_node("Add", ["z", "w"], ["y"]),
        ]
    )
    assert list(kernels(cpu_form(branched, tmp_path).graph)) == [[CHANNELS, 1, TAPS]]
