"""The device itself, and the memory that its models get."""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from funasr_cli.errors import DeviceError, DeviceLost, ModelError
from funasr_cli.executors.ascend.device import AscendDevice, survey
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.ascend.model import OmModel, OmTensor
from tests.simulator.conftest import oms as small_oms
from tests.simulator.fixtures import Npu

oms = small_oms


def test_a_survey_holds_nothing_of_what_it_finds(npu: Npu) -> None:
    npu.set(socs=["Ascend310P3"] * 3)
    assert survey()[1] == 3
    npu.new_process()
    npu.set(socs=[])
    with pytest.raises(DeviceError, match=r"(?s)the runtime finds no NPU.*ASCEND_RT_VISIBLE_DEVICES"):
        survey()


def test_a_soc_that_has_no_name_is_unknown(npu: Npu, monkeypatch: pytest.MonkeyPatch) -> None:
    import acl

    monkeypatch.setattr(acl, "get_soc_name", lambda: None)
    assert survey() == ("unknown SoC", 1)
    npu.new_process()
    device = AscendDevice(0)
    assert device.soc == "unknown SoC"
    device.close()


def test_a_survey_tells_the_soc(npu: Npu, monkeypatch: pytest.MonkeyPatch) -> None:
    import acl

    monkeypatch.setattr(acl, "get_soc_name", lambda: "Ascend910B2")
    assert survey() == ("Ascend910B2", 1)


def test_a_device_that_cannot_be_taken_or_counted_is_none(npu: Npu) -> None:
    npu.set(failures={"rt.set_device 1": 107001, "rt.get_device_count 1": 107000})
    with pytest.raises(DeviceError, match="NPU 0 cannot be used; the runtime finds none"):
        AscendDevice(0)


def test_nothing_is_asked_of_a_device_that_hangs_when_it_is_closed(npu: Npu, oms: dict[str, Path]) -> None:
    npu.set(faults={"1": "hang"})
    executor = AscendExecutor(lambda _: oms["static"], longest=10, time_limit=0.05)
    executor.begin({"x": np.ones((1, 10, 2), np.float32), "count": np.ones(1, np.int32)})
    with pytest.raises(DeviceError, match="507046"):  # waits for the run, because its memory is to be released
        executor.close()


def test_a_limit_of_less_than_a_millisecond_is_one(
    npu: Npu, oms: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import acl

    npu.set(faults={"1": "hang"})
    limits, honest = list[int](), acl.rt.synchronize_stream_with_timeout

    def wait(stream: int, limit: int) -> object:
        limits.append(limit)
        return honest(stream, limit)

    monkeypatch.setattr(acl.rt, "synchronize_stream_with_timeout", wait)
    executor = AscendExecutor(lambda _: oms["static"], longest=10, time_limit=0.0001)
    with pytest.raises(DeviceLost, match="did not end a run in time"):
        executor.run({"x": np.ones((1, 10, 2), np.float32), "count": np.ones(1, np.int32)})
    executor.close()
    assert limits == [1]


@pytest.mark.parametrize(("layout", "tensors"), [("static", 3), ("gears", 4), ("dynamic", 3)])
def test_memory_is_taken_once_and_for_two_windows(npu: Npu, oms: dict[str, Path], layout: str, tensors: int) -> None:
    window = {"x": np.ones((1, 10, 2), np.float32), "count": np.ones(1, np.int32)}
    executor = AscendExecutor(lambda _: oms[layout], longest=10)
    for _ in range(3):
        executor.run(window)
    assert npu.process.calls["rt.malloc"] == npu.process.calls["rt.malloc_host"] == 2 * tensors
    executor.close()


def test_the_seconds_of_a_run_are_those_from_its_start_to_its_end(npu: Npu, oms: dict[str, Path]) -> None:
    npu.set(run_ms=100, compute=False)
    window = {"x": np.ones((1, 10, 2), np.float32), "count": np.ones(1, np.int32)}
    executor = AscendExecutor(lambda _: oms["static"], longest=10)
    begun = time.perf_counter()
    first, second = executor.begin(window), executor.begin(window)
    seconds = [first()[1], second()[1]]
    assert min(seconds) >= 0.1
    assert sum(seconds) <= time.perf_counter() - begun
    executor.close()


@pytest.mark.parametrize(
    ("shape", "stated", "expected"),
    [
        ((2, 3), 24, 24),
        ((2, 3), 32, 32),  # the size in the OM, if that is more
        ((1, None, 2), 0, 4 * 100 * 2),
        ((None, 3), 0, 4 * 3),  # a free first dimension is the batch
        ((None,), 0, 4 * 100),
        ((1, None), 12, 12),
    ],
)
def test_a_tensor_has_room_for_the_longest_window(shape: tuple[int | None, ...], stated: int, expected: int) -> None:
    tensor = OmTensor("x", np.dtype(np.float32), shape, stated)
    assert OmModel.room(cast(OmModel, Somewhere()), tensor, longest=100) == expected


def test_a_size_that_is_too_small_for_the_shape_is_the_oms_fault() -> None:
    tensor = OmTensor("x", np.dtype(np.float32), (2, 3), 23)
    with pytest.raises(ModelError, match=r"broken\.om: the OM declares 23 bytes for 'x', too few"):
        OmModel.room(cast(OmModel, Somewhere()), tensor, longest=100)


class Somewhere:
    """Stands in for a model that has a path."""

    _path = Path("broken.om")
