"""A device fails while one window runs and another waits: nothing is lost or mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import DeviceError, DeviceLost, ModelError
from funasr_cli.executors.ascend.buffers import WindowBuffers
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.base import Fetch, failed, when_fetched
from funasr_cli.executors.failover import CPU_TAKES_OVER, FailoverExecutor
from funasr_cli.executors.onnx import OnnxExecutor
from tests.simulator.fixtures import Npu
from tests.simulator.fixtures import npu as npu
from tests.simulator.nano_oms import FRAMES, NanoOms, inputs, make_nano_oms

LOST = 507011
LENGTHS = (10, 20, 30, 40, 50, 60)


@pytest.fixture(scope="module")
def oms(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> NanoOms:
    return make_nano_oms(frozen, tmp_path_factory.mktemp("oms"))


@pytest.fixture
def graph(oms: NanoOms) -> OnnxExecutor:
    """The graph that the OM was made from."""
    return OnnxExecutor(oms.folder / "model_6s_top5.onnx", precision="float32", threads=1)


def two_at_a_time(executor: FailoverExecutor) -> Iterator[Arrays | DeviceLost]:
    """The outputs of all windows, or the error; the next window is begun before the current one is fetched."""
    begun = [executor.begin(inputs(LENGTHS[0]))]
    for frames in (*LENGTHS[1:], None):
        if frames is not None:
            begun.append(executor.begin(inputs(frames)))
        try:
            yield begun.pop(0)()[0]
        except DeviceLost as error:
            yield error


def assert_right(outcomes: list[Arrays | DeviceLost], graph: OnnxExecutor, lost: int | None = None) -> None:
    for number, (frames, outcome) in enumerate(zip(LENGTHS, outcomes, strict=True)):
        assert isinstance(outcome, DeviceLost) == (number == lost)
        if not isinstance(outcome, DeviceLost):
            for name, array in graph.run(inputs(frames)).items():
                np.testing.assert_array_equal(outcome[name], array)


@pytest.mark.parametrize("run", [1, 2, 6])
@pytest.mark.parametrize("fault", [LOST, "hang"])
def test_after_a_reset_both_windows_are_run(
    npu: Npu, oms: NanoOms, graph: OnnxExecutor, run: int, fault: int | str
) -> None:
    npu.set(faults={str(run): fault})
    told: list[str] = []
    ascend = AscendExecutor(lambda _: oms.static, longest=FRAMES, time_limit=2.0)
    with closing(FailoverExecutor(ascend, None, told.append)) as executor:
        assert_right(list(two_at_a_time(executor)), graph)
    assert len(told) == 1
    assert npu.process.runs - len(LENGTHS) in (0, 1)  # 1 if the next run failed before outputs were copied


def test_a_window_that_fails_twice_is_the_only_one(npu: Npu, oms: NanoOms, graph: OnnxExecutor) -> None:
    npu.set(faults={"1": LOST, "2": LOST})
    ascend = AscendExecutor(lambda _: oms.static, longest=FRAMES)
    with closing(FailoverExecutor(ascend, None, lambda _: None)) as executor:
        assert_right(list(two_at_a_time(executor)), graph, lost=0)


def test_a_window_that_fails_whenever_it_is_run_takes_no_other_with_it(
    npu: Npu, oms: NanoOms, graph: OnnxExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = LENGTHS[2]
    ascend = AscendExecutor(lambda _: oms.static, longest=FRAMES)
    start = WindowBuffers.start

    def started(buffers: WindowBuffers, stream: int) -> None:
        length = buffers._inputs[1].host[:4].view(np.int32)[0]
        npu.process.machine.faults = {str(npu.process.machine.count("runs") + 1): LOST} if length == bad else {}
        start(buffers, stream)

    monkeypatch.setattr(WindowBuffers, "start", started)
    with closing(FailoverExecutor(ascend, None, lambda _: None)) as executor:
        assert_right(list(two_at_a_time(executor)), graph, lost=2)


def test_the_spare_takes_over_both(npu: Npu, oms: NanoOms, graph: OnnxExecutor) -> None:
    npu.set(faults={"1": LOST, "2": LOST})
    told: list[str] = []
    spare = OnnxExecutor(oms.folder / "model_6s_top5.onnx", precision="float32", threads=1)
    ascend = AscendExecutor(lambda _: oms.static, longest=FRAMES)
    with closing(FailoverExecutor(ascend, spare, told.append)) as executor:
        assert_right(list(two_at_a_time(executor)), graph)
        assert executor.device == "cpu (float32)"
    assert len(told) == 2
    assert npu.process.runs == 0


X = TensorSpec("x", np.dtype(np.float32), (1,))


class Scripted:
    """Returns its inputs, or raises the errors scripted for its next runs."""

    def __init__(self, name: str, *errors: DeviceError | None, outputs: tuple[TensorSpec, ...] = (X,)) -> None:
        self.device, self.inputs, self.outputs = name, (X,), outputs
        self.errors = list(errors)
        self.calls: list[str] = []

    def begin(self, inputs: Arrays) -> Fetch:
        self.calls.append("begin")
        error = self.errors.pop(0) if self.errors else None
        return when_fetched(lambda inputs: inputs, inputs) if error is None else failed(error)

    def run(self, inputs: Arrays) -> Arrays:
        return self.begin(inputs)()[0]

    def recover(self) -> None:
        self.calls.append("recover")

    def close(self) -> None:
        self.calls.append("close")
        if "npu" in self.device:
            raise DeviceError("it does not let go")


def test_a_spare_that_takes_or_gives_other_tensors_is_refused() -> None:
    with pytest.raises(ModelError, match="the graph for --on-device-failure cpu has other inputs or outputs"):
        FailoverExecutor(Scripted("npu"), Scripted("cpu", outputs=()), lambda _: None)


def test_an_error_of_the_spare_is_the_end_of_it() -> None:
    told: list[str] = []
    npu = Scripted("npu", DeviceError("first"), DeviceError("second"))
    spare = Scripted("cpu", None, DeviceError("third"))
    executor = FailoverExecutor(npu, spare, told.append)
    window = {"x": np.ones(1, np.float32)}
    assert executor.device == "npu"
    assert executor.run(window) == window
    assert executor.device == "cpu"
    assert told == [
        "first; resetting the device and running the window again",
        f"second; {CPU_TAKES_OVER}",
    ]
    with pytest.raises(DeviceError, match="third"):
        executor.run(window)
    assert executor.run(window) == window
    executor.close()
    assert npu.calls == ["begin", "recover", "begin", "close"]
    assert spare.calls == ["begin", "begin", "begin", "close"]
    assert len(told) == 2


def test_both_are_closed() -> None:
    npu, spare = Scripted("the device"), Scripted("cpu")
    FailoverExecutor(npu, spare, lambda _: None).close()
    FailoverExecutor(npu, None, lambda _: None).close()
    assert (npu.calls, spare.calls) == (["close", "close"], ["close"])


def test_what_is_wrong_with_a_window_is_not_the_devices_fault() -> None:
    npu = Scripted("npu", ValueError("misshapen"))  # type: ignore[arg-type]
    executor = FailoverExecutor(npu, None, lambda _: None)
    with pytest.raises(ValueError, match="misshapen"):
        executor.run({"x": np.ones(1, np.float32)})
    assert npu.calls == ["begin"]
    assert executor.run({"x": np.zeros(1, np.float32)}) == {"x": 0}
