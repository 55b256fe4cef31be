"""Signed weights: the same results, and only where they are sure to be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from funasr_cli.executors import signed_weights
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.executors.signed_weights import signed_form
from funasr_cli.system import processor
from funasr_cli.system.onnx_sessions import make_session
from tests.conftest import NANO

QUANTISED = NANO / "model_quant.onnx"

needs_vnni = pytest.mark.skipif(not processor.has_vnni(), reason="this processor has no VNNI: weights stay unsigned")


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewrite whatever the processor: what is looked at is the file."""
    monkeypatch.setattr(signed_weights, "has_vnni", lambda: True)
    monkeypatch.setattr(signed_weights, "_adds_up_exactly", lambda: True)


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


def signed(path: Path) -> ModelProto | None:
    with signed_form(path) as form:
        return None if form is None else onnx.load(form)


def random_product(*, raw: bool = True) -> ModelProto:
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 256, (6, 5), np.uint8)
    return product(weights, np.array([0, 1, 127, 128, 255], np.uint8), raw=raw)


@pytest.mark.parametrize("raw", [True, False])
def test_weights_and_zero_points_are_less_by_128(anywhere: None, tmp_path: Path, raw: bool) -> None:
    before = random_product(raw=raw)
    after = signed(saved(before, tmp_path))
    assert after is not None
    onnx.checker.check_model(after)
    assert after.graph.node == before.graph.node
    assert not after.graph.value_info  # it said uint8
    for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True):
        assert (new.name, new.dims, new.data_type) == (old.name, old.dims, TensorProto.INT8)
        assert (numpy_helper.to_array(new) == numpy_helper.to_array(old).astype(np.int16) - 128).all()


def test_all_else_in_a_published_graph_stays_as_it_is(anywhere: None) -> None:
    before, after = onnx.load(QUANTISED), signed(QUANTISED)
    assert after is not None
    changed = 0
    for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True):
        changed += old.data_type != new.data_type
        if old.data_type == TensorProto.UINT8:
            assert new.data_type == TensorProto.INT8
            old.CopyFrom(new)
    assert changed == 2 * sum(node.op_type == "MatMulInteger" for node in before.graph.node)
    assert before == after


@needs_vnni
@pytest.mark.parametrize("frames", [1, 33, 250])
def test_the_results_are_the_same_bit_for_bit(frames: int) -> None:
    rng = np.random.default_rng(frames)
    inputs = {
        "speech": rng.standard_normal((1, frames, 560)).astype(np.float32),
        "speech_lengths": np.array([frames], np.int32),
        "language": np.array([0], np.int32),
        "textnorm": np.array([14], np.int32),
    }
    published = make_session(QUANTISED, threads=1)
    executor = OnnxExecutor(QUANTISED, precision="int8", threads=1)
    assert executor.device == "cpu (int8, signed)"
    for name, array in executor.run(inputs).items():
        assert array.tobytes() == published.run([name], inputs)[0].tobytes()


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

    monkeypatch.setattr(signed_weights, "has_vnni", lambda: True)
    monkeypatch.setattr(signed_weights, "make_session", lambda *_, **__: Saturating())
    signed_weights._adds_up_exactly.cache_clear()
    with signed_form(QUANTISED) as form:
        assert form is None
    signed_weights._adds_up_exactly.cache_clear()


def test_the_probe_is_a_graph_that_the_runtime_takes() -> None:
    signed_weights._adds_up_exactly.cache_clear()
    assert signed_weights._adds_up_exactly() or not processor.has_vnni()


def with_another_reader(model: ModelProto) -> None:
    model.graph.node.append(helper.make_node("Cast", ["b"], ["c"], to=TensorProto.FLOAT))


def with_an_input(model: ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("b", TensorProto.UINT8, [6, 5]))


def with_data_elsewhere(model: ModelProto) -> None:
    model.graph.initializer[0].ClearField("raw_data")


@pytest.mark.parametrize("change", [with_another_reader, with_an_input, with_data_elsewhere])
def test_weights_that_serve_something_else_stay_as_they_are(anywhere: None, tmp_path: Path, change: object) -> None:
    model = random_product()
    change(model)  # type: ignore[operator]
    assert signed(saved(model, tmp_path)) is None


@pytest.mark.parametrize(
    "model",
    [
        product(np.zeros((6, 5), np.uint8), None),
        product(np.zeros((6, 5), np.int8), np.zeros(5, np.int8)),
    ],
    ids=["no zero points", "signed already"],
)
def test_other_products_stay_as_they_are(anywhere: None, tmp_path: Path, model: ModelProto) -> None:
    assert signed(saved(model, tmp_path)) is None


@pytest.mark.parametrize("content", [b"", b"\x00", b"no graph at all", b"\x3a\xff\x01"])
def test_what_is_no_graph_is_left_to_the_runtime(anywhere: None, tmp_path: Path, content: Sequence[int]) -> None:
    path = tmp_path / "graph.onnx"
    path.write_bytes(bytes(content))
    assert_not_signed(path)


def assert_not_signed(path: Path) -> None:
    with signed_form(path) as form:
        assert form is None
