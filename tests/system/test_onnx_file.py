"""Weights in files of the package onnx are read; other files are rejected."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.system.onnx_file import read_weights

onnx = pytest.importorskip("onnx")


def written(path: Path, *tensors: object) -> Path:
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "graph", [], [], list(tensors))), path)
    return path


@pytest.mark.parametrize("shape", [(), (1,), (0,), (300, 2), (2, 3, 1, 5)])
def test_a_tensor_of_any_shape_is_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = read_weights(written(tmp_path / "a.onnx", onnx.numpy_helper.from_array(values, "weight ü")))
    assert list(found) == ["weight ü"]
    assert found["weight ü"].shape == shape
    assert found["weight ü"].dtype == np.float32
    assert np.array_equal(found["weight ü"], values)


def test_other_types_and_other_ways_to_store_are_left_out(tmp_path: Path) -> None:
    integers = onnx.numpy_helper.from_array(np.arange(3), "integers")
    numbers = onnx.helper.make_tensor("numbers", onnx.TensorProto.FLOAT, [2], [1.0, 2.0])
    assert read_weights(written(tmp_path / "a.onnx", integers, numbers)) == {}


@pytest.mark.parametrize("size", [0, 5, -1, 2**62])
def test_values_that_do_not_fill_the_shape_are_refused(tmp_path: Path, size: int) -> None:
    tensor = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "weight")
    tensor.dims[0] = size
    with pytest.raises(ValueError, match="weight has 16 bytes"):
        read_weights(written(tmp_path / "a.onnx", tensor))


@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    for content in (data, b"\x3a" + bytes([len(data) + 2]) + b"\x2a" + bytes([len(data)]) + data):  # as a tensor
        path.write_bytes(content)
        with suppress(ValueError):
            read_weights(path)
