"""8-bit graphs rewritten while loading: the same results, and no rewriting if they might differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from onnx import ModelProto, TensorProto, helper, numpy_helper

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.executors import fast_int8
from funasr_cli.executors.fast_int8 import fast_form
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.graph import LENGTHS
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from funasr_cli.system import processor
from funasr_cli.system.onnx_sessions import make_session
from tests.conftest import NANO

QUANTISED = NANO / "model_quant.onnx"

needs_vnni = pytest.mark.skipif(not processor.has_vnni(), reason="this processor has no VNNI: weights stay unsigned")


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewrite on any processor: the test examines the file."""
    monkeypatch.setattr(fast_int8, "has_vnni", lambda: True)
    monkeypatch.setattr(fast_int8, "_adds_up_exactly", lambda: True)


def product(weights: np.ndarray, zero_points: np.ndarray | None, *, raw: bool = True) -> ModelProto:
    """`y` = `a` · (`b` − its zero points)."""
    made = {"b": weights} | ({} if zero_points is None else {"z": zero_points})
    constants = [
        numpy_helper.from_array(array, name)
        if raw
        else helper.make_tensor(name, TensorProto.UINT8, array.shape, array.flatten().tolist())
        for name, array in made.items()
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b", *([] if zero_points is None else ["", "z"])], ["y"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, ["n", len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["n", weights.shape[1]])],
        constants,
        value_info=[helper.make_tensor_value_info("b", TensorProto.UINT8, weights.shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)


def saved(model: ModelProto, folder: Path) -> Path:
    path = folder / "graph.onnx"
    onnx.save(model, path)
    return path


def rewritten(path: Path, lengths: Sequence[str] = ()) -> ModelProto | None:
    with fast_form(path, lengths) as form:
        return None if form is None else onnx.load(form)


def random_product(*, raw: bool = True) -> ModelProto:
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 256, (6, 5), np.uint8)
    return product(weights, np.array([0, 1, 127, 128, 255], np.uint8), raw=raw)


@pytest.mark.parametrize("raw", [True, False])
def test_weights_and_zero_points_are_less_by_128(anywhere: None, tmp_path: Path, raw: bool) -> None:
    before = random_product(raw=raw)
    after = rewritten(saved(before, tmp_path))
    assert after is not None
    onnx.checker.check_model(after)
    assert after.graph.node == before.graph.node
    assert not after.graph.value_info  # it declared uint8
    for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True):
        assert (new.name, new.dims, new.data_type) == (old.name, old.dims, TensorProto.INT8)
        assert (numpy_helper.to_array(new) == numpy_helper.to_array(old).astype(np.int16) - 128).all()


@pytest.fixture
def exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rewriting that changes the order of addition."""
    monkeypatch.setattr(fast_int8, "_widen_convolutions", lambda _: 0)


def test_all_else_in_a_published_graph_stays_as_it_is(anywhere: None, exactly: None) -> None:
    before, after = onnx.load(QUANTISED), rewritten(QUANTISED)
    assert after is not None
    changed = 0
    for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True):
        changed += old.data_type != new.data_type
        if old.data_type == TensorProto.UINT8:
            assert new.data_type == TensorProto.INT8
            old.CopyFrom(new)
    assert changed == 2 * sum(node.op_type == "MatMulInteger" for node in before.graph.node)
    assert before == after


def noise(frames: int) -> dict[str, np.ndarray]:
    return {
        "speech": np.random.default_rng(frames).standard_normal((1, frames, 560)).astype(np.float32),
        "speech_lengths": np.array([frames], np.int32),
        "language": np.array([0], np.int32),
        "textnorm": np.array([14], np.int32),
    }


@needs_vnni
@pytest.mark.parametrize("frames", [1, 33, 250])
def test_signs_and_masks_change_no_bit_of_the_results(exactly: None, frames: int) -> None:
    inputs = noise(frames)
    published = make_session(QUANTISED, threads=1)
    executor = OnnxExecutor(QUANTISED, precision="int8", threads=1, lengths=LENGTHS)
    assert executor.device == "cpu (int8, signed)"
    for name, array in executor.run(inputs).items():
        assert array.tobytes() == published.run([name], inputs)[0].tobytes()


@needs_vnni
def test_with_convolutions_in_2d_speech_has_the_same_labels() -> None:
    """Rounding differs, and so an 8-bit activation sometimes falls on another step."""
    published = make_session(QUANTISED, threads=1)
    executor = OnnxExecutor(QUANTISED, precision="int8", threads=1, lengths=LENGTHS)
    recognizer = SenseVoiceRecognizer(NANO, executor.inputs, executor.outputs, executor.metadata)
    speech, _ = soundfile.read(NANO / "words-without-pauses.flac", dtype="float32")
    differ = frames = 0
    for seconds in (1, 5, 15):
        inputs = recognizer.prepare(speech[: seconds * SAMPLE_RATE], Request("zh"))
        (wanted,) = published.run(["ctc_logits"], inputs)
        found = executor.run(inputs)["ctc_logits"]
        differ += (found.argmax(-1) != wanted.argmax(-1)).sum()
        frames += wanted.shape[1]
        assert np.median(np.abs(found - wanted)) < 0.1  # of logits between -35 and 25
    assert differ <= 0.01 * frames


def convolution(**changes: object) -> ModelProto:
    """A depthwise convolution over frames, after a product with unsigned weights."""
    rng = np.random.default_rng(3)
    model = random_product()
    groups = changes.pop("groups", 5)
    kernel = rng.standard_normal((5, 5 // groups, 3)).astype(np.float32)  # type: ignore[operator]
    attributes = {"group": groups, **({} if "auto_pad" in changes else {"pads": [2, 1]}), **changes}
    model.graph.node.extend(
        [
            helper.make_node("Cast", ["y"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["float"], ["turned"], perm=[1, 0]),
            helper.make_node("Unsqueeze", ["turned", "first"], ["batched"]),
            helper.make_node(
                "Conv",
                ["batched", "k", "bias"],
                ["out"],
                **{name: value for name, value in attributes.items() if value},
            ),
        ]
    )
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([0]), "first"),
            numpy_helper.from_array(kernel, "k"),
            numpy_helper.from_array(rng.standard_normal(5).astype(np.float32), "bias"),
        ]
    )
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 5, None]))
    return model


def test_a_depthwise_convolution_is_made_2d(anywhere: None, tmp_path: Path) -> None:
    path = saved(convolution(), tmp_path)
    after = rewritten(path)
    assert after is not None
    onnx.checker.check_model(after)
    assert [list(tensor.dims) for tensor in after.graph.initializer if tensor.name == "k"] == [[5, 1, 1, 3]]
    a = np.random.default_rng(4).integers(0, 256, (9, 6), np.uint8)
    with fast_form(path, []) as form:
        assert form is not None
        (found,) = make_session(form, threads=1).run(None, {"a": a})
    (wanted,) = make_session(path, threads=1).run(None, {"a": a})
    assert found.shape == wanted.shape == (1, 5, 10)
    if processor.has_vnni():
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("changes", [{"groups": 1}, {"strides": [2]}, {"dilations": [2]}, {"auto_pad": "SAME_UPPER"}])
def test_other_convolutions_stay_as_they_are(anywhere: None, tmp_path: Path, changes: dict[str, object]) -> None:
    model = convolution(**changes)
    after = rewritten(saved(model, tmp_path))
    assert after is not None
    assert list(after.graph.node) == list(model.graph.node)


def test_convolutions_with_one_kernel_stay_as_they_are(anywhere: None, tmp_path: Path) -> None:
    model = convolution()
    model.graph.node.append(helper.make_node("Conv", ["batched", "k"], ["other"], group=5))
    model.graph.output.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1, 5, None]))
    after = rewritten(saved(model, tmp_path))
    assert after is not None
    assert list(after.graph.node) == list(model.graph.node)


def test_before_opset_13_convolutions_stay_as_they_are(anywhere: None, tmp_path: Path) -> None:
    model = convolution()
    model.opset_import[0].version = 12
    after = rewritten(saved(model, tmp_path))
    assert after is not None
    assert [node.op_type for node in after.graph.node] == [node.op_type for node in model.graph.node]


def test_without_vnni_the_published_file_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f\n")
    monkeypatch.setattr(processor, "CPUINFO", cpuinfo)
    opened: list[Path] = []

    def make(path: Path, **options: object) -> object:
        opened.append(path)
        return make_session(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("funasr_cli.executors.onnx.make_session", make)
    assert OnnxExecutor(QUANTISED, precision="int8", threads=1).device == "cpu (int8)"
    assert opened == [QUANTISED]


def test_where_sums_saturate_the_published_file_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Saturating:
        def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.array([[32767 * 32, -32768 * 32]], np.int32)]

    monkeypatch.setattr(fast_int8, "has_vnni", lambda: True)
    monkeypatch.setattr(fast_int8, "make_session", lambda *_, **__: Saturating())
    fast_int8._adds_up_exactly.cache_clear()
    assert rewritten(QUANTISED) is None
    fast_int8._adds_up_exactly.cache_clear()


def test_the_probe_is_a_graph_that_the_runtime_takes() -> None:
    fast_int8._adds_up_exactly.cache_clear()
    assert fast_int8._adds_up_exactly() or not processor.has_vnni()


def with_another_reader(model: ModelProto) -> None:
    model.graph.node.append(helper.make_node("Cast", ["b"], ["c"], to=TensorProto.FLOAT))


def with_an_input(model: ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("b", TensorProto.UINT8, [6, 5]))


def without_values(model: ModelProto) -> None:
    model.graph.initializer[0].ClearField("raw_data")


def with_a_file_beside(model: ModelProto) -> None:
    other = model.graph.initializer.add(name="other", dims=[1], data_type=TensorProto.FLOAT)
    other.data_location = TensorProto.EXTERNAL
    other.external_data.add(key="location", value="beside.bin")


def with_an_inner_graph(model: ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=inner, else_branch=inner))


CHANGES = [with_another_reader, with_an_input, without_values, with_a_file_beside, with_an_inner_graph]


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_serve_something_else_stay_as_they_are(anywhere: None, tmp_path: Path, change: object) -> None:
    model = random_product()
    change(model)  # type: ignore[operator]
    assert rewritten(saved(model, tmp_path)) is None


@pytest.mark.parametrize(
    "model",
    [
        product(np.zeros((6, 5), np.uint8), None),
        product(np.zeros((6, 5), np.int8), np.zeros(5, np.int8)),
    ],
    ids=["no zero points", "signed already"],
)
def test_other_products_stay_as_they_are(anywhere: None, tmp_path: Path, model: ModelProto) -> None:
    assert rewritten(saved(model, tmp_path)) is None


@pytest.mark.parametrize("content", [b"", b"\x00", b"no graph at all", b"\x3a\xff\x01"])
def test_what_is_no_graph_is_left_to_the_runtime(anywhere: None, tmp_path: Path, content: Sequence[int]) -> None:
    path = tmp_path / "graph.onnx"
    path.write_bytes(bytes(content))
    assert rewritten(path) is None


def masked_product(change: str = "") -> ModelProto:
    """`y` is the product of `x`; frames after the first `n` are masked in two ways."""
    rng = np.random.default_rng(1)
    node = helper.make_node
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "one"], ["frames"]),
        node("Range", ["zero", "frames", "one"], ["numbers"]),
        node("Cast", ["n"], ["n64"], to=TensorProto.INT64),
        node("Less", ["numbers", "n64"], ["valid"]),
        node("Cast", ["valid"], ["as float"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["as float", "last"], ["kept"]),
        node("Equal", ["kept", "nothing"], ["hidden"]),
        node("Mul", ["x", "kept"], ["multiplied"]),
        node("Where", ["hidden", "low", "multiplied"], ["masked"]),
        node("DynamicQuantizeLinear", ["masked"], ["a", "scale", "at"]),
        node("MatMulInteger", ["a", "b", "at", "z"], ["whole"]),
        node("Cast", ["whole"], ["y"], to=TensorProto.FLOAT),
    ]
    constants = {
        "zero": np.int64(0), "one": np.int64(1), "last": np.array([-1]), "nothing": np.float32(0),
        "low": np.float32(-9),
        "b": rng.integers(0, 256, (4, 3), np.uint8), "z": np.array([1, 128, 255], np.uint8),
    }  # fmt: skip
    frames: int | str = "frames"
    match change:
        case "a fixed length":
            frames = 7
        case "a mask of the data":
            nodes[4] = node("Less", ["x", "low"], ["valid"])
            nodes[6] = node("Identity", ["as float"], ["kept"])
        case "a scale by the length":
            nodes[4] = node("Identity", ["n64"], ["valid"])
        case "a mask of what comes later":
            nodes[3:5] = [node("Unsqueeze", ["numbers", "last"], ["n64"]), node("Less", ["numbers", "n64"], ["valid"])]
            nodes[5:7] = [node("ReduceMax", ["as float"], ["kept"], axes=[0], keepdims=0)]
            nodes.insert(5, node("Cast", ["valid"], ["as float"], to=TensorProto.FLOAT))
        case "a mask that is added":
            nodes[8:10] = [node("Mul", ["kept", "low"], ["bias"]), node("Add", ["x", "bias"], ["masked"])]
        case "two constants":
            nodes[9] = node("Where", ["hidden", "low", "nothing"], ["masked"])
    graph = helper.make_graph(
        nodes,
        "masked",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, frames, 4]),
            helper.make_tensor_value_info("n", TensorProto.INT32, [1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, frames, 3])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)


def test_masks_and_what_makes_them_go(anywhere: None, tmp_path: Path) -> None:
    after = rewritten(saved(masked_product(), tmp_path), ["n"])
    assert after is not None
    onnx.checker.check_model(after)
    assert [node.op_type for node in after.graph.node] == ["DynamicQuantizeLinear", "MatMulInteger", "Cast"]
    assert after.graph.node[0].input == ["x"]


@needs_vnni
def test_without_masks_the_results_are_the_same(tmp_path: Path) -> None:
    path = saved(masked_product(), tmp_path)
    x = np.random.default_rng(2).standard_normal((1, 7, 4)).astype(np.float32)
    with fast_form(path, ["n"]) as form:
        assert form is not None
        (found,) = make_session(form, threads=1).run(None, {"x": x, "n": np.array([7], np.int32)})
    (wanted,) = make_session(path, threads=1).run(None, {"x": x, "n": np.array([7], np.int32)})
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("a fixed length", {"Mul", "Where"}),
        ("a mask of the data", {"Mul", "Where"}),
        ("a mask of what comes later", {"Mul", "Where"}),
        ("a scale by the length", {"Mul", "Where"}),
        ("a mask that is added", {"Mul"}),
        ("two constants", {"Where"}),
    ],
)
def test_what_is_no_mask_stays(anywhere: None, tmp_path: Path, change: str, left: set[str]) -> None:
    after = rewritten(saved(masked_product(change), tmp_path), ["n"])
    assert after is not None
    assert {node.op_type for node in after.graph.node} & {"Mul", "Where"} == left


def test_masks_stay_if_nothing_is_known_of_lengths(anywhere: None, exactly: None) -> None:
    before, after = onnx.load(QUANTISED), rewritten(QUANTISED)
    assert after is not None
    assert len(after.graph.node) == len(before.graph.node)


@needs_vnni
def test_if_the_rewritten_graph_cannot_be_loaded_the_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no memory for it")

    monkeypatch.setattr(fast_int8, "read_onnx", refuse)
    assert OnnxExecutor(QUANTISED, precision="int8", threads=1).device == "cpu (int8)"
