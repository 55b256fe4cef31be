"""OM files on the simulated NPU: the same text as on the CPU, nothing left behind, and errors that say what to do."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from funasr_cli.arrays import Arrays
from funasr_cli.errors import DeviceError, DeviceLost, FunasrError, ModelError
from funasr_cli.executors.ascend.acl import AclError
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.base import Executor
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from tests.conftest import NANO
from tests.simulator.fixtures import Npu
from tests.simulator.nano_oms import FRAMES, NanoOms, inputs
from tests.support.meetings import samples_of

LONGEST = FRAMES + 4
LOST = 507011
LAYOUTS = ("static", "half", "gears", "sherpa")
WHAT_IS_SAID = "学者空间相差比如那局性能一边收缩外活快活推论上途一律交换胡子大于先后发期专心离开分批更换下面态"


@contextmanager
def opened(om: Path, **options: Any) -> Iterator[AscendExecutor]:
    executor = AscendExecutor(lambda _: om, longest=LONGEST, **options)
    try:
        yield executor
    finally:
        executor.close()


def text(executor: Executor, folder: Path, metadata: dict[str, str] | None = None) -> str:
    """The text of 25 seconds, recognised in pieces of various lengths of at most six seconds."""
    recognizer = SenseVoiceRecognizer(folder, executor.inputs, executor.outputs, metadata or {})
    samples = samples_of(NANO / "words-without-pauses.flac")
    pieces = np.split(samples, [90_000, 180_000, 270_000, 360_000])
    hypotheses = [
        recognizer.decode(executor.run(recognizer.prepare(piece, Request())), Request())
        for piece in pieces
        if len(piece)
    ]
    return "".join(token.text for hypothesis in hypotheses for token in hypothesis.tokens)


def assert_same(one: Arrays, other: Arrays) -> None:
    assert set(one) == set(other)
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])


def test_what_the_runtime_says_arrives_in_another_process() -> None:
    error = AclError("rt.malloc", 207001, "no room")
    sent = pickle.loads(pickle.dumps(error))
    assert (str(sent), sent.code) == (str(error), 207001)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_text_is_that_of_the_cpu(npu: Npu, oms: NanoOms, layout: str) -> None:
    onnx = OnnxExecutor(oms.folder / "model.onnx", precision="float32", threads=1)
    with opened(getattr(oms, layout)) as executor:
        assert text(executor, oms.folder) == text(onnx, oms.folder, dict(onnx.metadata)) == WHAT_IS_SAID


def test_a_static_om_gives_bit_by_bit_what_its_graph_gives(npu: Npu, oms: NanoOms) -> None:
    graph = OnnxExecutor(oms.folder / "model_6s_top5.onnx", precision="float32", threads=1)
    with opened(oms.static) as executor:
        for frames in (1, 47, FRAMES):
            assert_same(executor.run(inputs(frames)), graph.run(inputs(frames)))


def described(executor: Executor) -> dict[str, tuple[str, tuple[int | None, ...]]]:
    return {spec.name: (spec.dtype.name, spec.shape) for spec in [*executor.inputs, *executor.outputs]}


def test_it_says_what_the_om_takes_and_gives_by_the_names_of_its_graph(npu: Npu, oms: NanoOms) -> None:
    scalars = dict.fromkeys(("speech_lengths", "language", "textnorm", "encoder_out_lens"), ("int32", (1,)))
    expected = {
        "static": {"log_probs": ("float32", (1, 104, 5)), "token_ids": ("int32", (1, 104, 5))},
        "gears": {"ctc_logits": ("float32", (1, None, 1044))},
    }
    expected["half"] = expected["static"]  # half floats are internal to the device
    for layout, outputs in expected.items():
        with opened(getattr(oms, layout)) as executor:
            assert described(executor) == {"speech": ("float32", (1, FRAMES, 560)), **scalars, **outputs}
            assert executor.device == "npu (Ascend310P3)"
        npu.new_process()
    with opened(oms.sherpa) as executor:
        assert described(executor) == {
            "x": ("float32", (1, None, 560)),
            "prompt": ("int32", (4,)),
            "logits": ("float32", (1, None, 1044)),
        }


@pytest.mark.parametrize(("frames", "gear"), [(1, 34), (34, 34), (35, 67), (FRAMES, FRAMES)])
def test_the_smallest_gear_that_fits_is_run(npu: Npu, oms: NanoOms, frames: int, gear: int) -> None:
    with opened(oms.gears) as executor:
        executor.run(inputs(FRAMES))
        assert executor.run(inputs(frames))["ctc_logits"].shape == (1, gear + 4, 1044)


@pytest.mark.parametrize("layout", ["static", "gears"])
def test_runs_take_no_memory_and_no_handles(npu: Npu, oms: NanoOms, layout: str) -> None:
    with opened(getattr(oms, layout)) as executor:
        first = executor.run(inputs(FRAMES))
        before = npu.process.next_address
        assert_same(executor.run(inputs(FRAMES)), first)
        executor.run(inputs(3))
        assert npu.process.next_address == before


def test_runs_of_any_shape_give_back_what_they_take(npu: Npu, oms: NanoOms) -> None:
    window = {"x": np.zeros((1, FRAMES, 560), np.float32), "prompt": np.zeros(4, np.int32)}
    with opened(oms.sherpa) as executor:
        before = set(npu.process.resources)
        for frames in (FRAMES, 5):
            assert executor.run({**window, "x": window["x"][:, :frames]})["logits"].shape == (1, frames + 4, 1044)
        assert set(npu.process.resources) == before


def test_outputs_stay_what_they_are_when_the_next_window_runs(npu: Npu, oms: NanoOms) -> None:
    with opened(oms.static) as executor:
        first = executor.run(inputs(50))
        kept = {name: array.copy() for name, array in first.items()}
        executor.run(inputs(51))
    assert_same(first, kept)


@pytest.mark.parametrize(
    ("layout", "change", "message"),
    [
        ("static", {"speech": np.zeros((1, 101, 560), np.float32)}, r"'speech': expected float32 \[1, 100, 560\], got"),
        ("static", {"speech": np.zeros((1, 9, 560))}, r"'speech': expected float32 .* got float64"),
        ("static", {"language": np.zeros(2, np.int32)}, r"'language': expected int32 \[1\], got int32 \[2\]"),
        ("static", {"x": np.zeros(1)}, r"expected the inputs \['language', .* got .*'x'"),
        ("gears", {"speech": np.zeros((1, 101, 560), np.float32)}, r"'speech': expected float32 \[1, 100, 560\], got"),
        ("gears", {"speech": np.zeros((9, 560), np.float32)}, r"'speech': expected .* got float32 \[9, 560\]"),
    ],
)
def test_what_does_not_fit_is_named_before_it_is_run(
    npu: Npu, oms: NanoOms, layout: str, change: dict[str, np.ndarray], message: str
) -> None:
    with opened(getattr(oms, layout)) as executor:
        with pytest.raises(ValueError, match=message):
            executor.run({**inputs(FRAMES), **change})
        assert npu.process.runs == 0


def test_free_dimensions_have_a_bound(npu: Npu, oms: NanoOms) -> None:
    window = {"x": np.zeros((1, LONGEST + 1, 560), np.float32), "prompt": np.zeros(4, np.int32)}
    with opened(oms.sherpa) as executor:
        with pytest.raises(ValueError, match=r"'x': free dimensions may be at most 104, got \[1, 105, 560\]"):
            executor.run(window)
        with pytest.raises(AclError, match="145000"):  # the input has room, the output four frames too few
            executor.run({**window, "x": window["x"][:, :LONGEST]})
        executor.run({**window, "x": window["x"][:, :FRAMES]})


def test_it_may_be_used_from_another_thread_than_it_was_made_in(npu: Npu, oms: NanoOms) -> None:
    results: list[Arrays] = []
    with opened(oms.static) as executor:
        thread = threading.Thread(target=lambda: results.append(executor.run(inputs(9))))
        thread.start()
        thread.join()
        assert_same(results[0], executor.run(inputs(9)))
        closer = threading.Thread(target=executor.recover)
        closer.start()
        closer.join()


def test_other_threads_go_on_while_the_device_works(npu: Npu, oms: NanoOms) -> None:
    npu.set(run_ms=400, compute=False)
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.wait(0.002):
            ticks[0] += 1

    with opened(oms.static) as executor:
        ticker = threading.Thread(target=tick)
        ticker.start()
        executor.run(inputs(9))
        done.set()
        ticker.join()
    assert ticks[0] > 20


@pytest.mark.parametrize("layout", ["static", "gears", "sherpa"])
def test_an_interrupt_in_a_run_leaves_nothing_under_way(
    npu: Npu, oms: NanoOms, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    import acl

    npu.set(run_ms=50)
    synchronize = acl.rt.synchronize_stream_with_timeout

    def interrupted(*_: int) -> int:
        monkeypatch.setattr(acl.rt, "synchronize_stream_with_timeout", synchronize)
        raise KeyboardInterrupt

    window = inputs(40)
    if layout == "sherpa":
        window = {"x": window["speech"], "prompt": np.array([3, 1, 2, 14], np.int32)}
    with opened(getattr(oms, layout)) as executor:
        monkeypatch.setattr(acl.rt, "synchronize_stream_with_timeout", interrupted)
        with pytest.raises(KeyboardInterrupt):
            executor.run(window)


# Two windows at a time


def windows_of(layout: str, *lengths: int) -> list[dict[str, np.ndarray]]:
    windows = [inputs(frames) for frames in lengths]
    if layout == "sherpa":
        return [{"x": one["speech"], "prompt": np.array([3, 1, 2, 14], np.int32)} for one in windows]
    return windows


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_window_may_be_begun_while_another_runs(npu: Npu, oms: NanoOms, layout: str) -> None:
    windows = windows_of(layout, 60, 9, FRAMES, 34, 35)
    with opened(getattr(oms, layout)) as executor:
        alone = [executor.run(window) for window in windows]
        fetches = [executor.begin(windows[0])]
        for window, expected in zip([*windows[1:], None], alone, strict=True):
            if window is not None:
                fetches.append(executor.begin(window))
            outputs, seconds = fetches.pop(0)()
            assert_same(outputs, expected)
            assert seconds > 0


def test_between_two_runs_nothing_is_copied(npu: Npu, oms: NanoOms, monkeypatch: pytest.MonkeyPatch) -> None:
    import acl

    calls: list[str] = []

    def noted(module: Any, name: str, what: Callable[..., str]) -> None:
        call = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *arguments: calls.append(what(*arguments)) or call(*arguments))

    noted(acl.mdl, "execute_async", lambda *_: "run")
    noted(acl.rt, "synchronize_stream_with_timeout", lambda *_: "wait")
    noted(acl.rt, "memcpy", lambda *arguments: ["", "up", "down"][arguments[-1]])
    with opened(oms.static) as executor:
        first, second = executor.begin(inputs(9)), executor.begin(inputs(10))
        first()
        second()
    up, down = ["up"] * 4, ["down"] * 3
    assert calls == [*up, "run", *up, "wait", "run", *down, "wait", *down, "wait"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fault", [LOST, "hang"])
def test_a_device_that_is_lost_takes_both_windows_with_it(
    npu: Npu, oms: NanoOms, fault: int | str, layout: str
) -> None:
    npu.set(faults={"3": fault})
    windows = windows_of(layout, 30, 40)
    with opened(getattr(oms, layout), time_limit=2.0) as executor:
        expected = [executor.run(window) for window in windows]
        first = executor.begin(windows[0])

        def go_on() -> None:
            executor.begin(windows[1])  # may find the device lost already
            first()

        with pytest.raises(DeviceLost):
            go_on()
        with pytest.raises(DeviceLost, match=r"failed in an earlier run: acl\.rt\."):
            first()
        executor.recover()
        for window, outputs in zip(windows, expected, strict=True):
            assert_same(executor.run(window), outputs)


def test_a_run_that_cannot_be_made_leaves_the_next_alone(npu: Npu, oms: NanoOms) -> None:
    good, bad = windows_of("sherpa", 40, LONGEST)
    with opened(oms.sherpa) as executor:
        expected = executor.run(good)
        for order in ([bad, good], [good, bad]):
            fetches = [executor.begin(window) for window in order]
            for window, fetch in zip(order, fetches, strict=True):
                if window is bad:
                    with pytest.raises(AclError, match="145000"):
                        fetch()
                else:
                    assert_same(fetch()[0], expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_windows_that_nobody_fetches_are_given_back(npu: Npu, oms: NanoOms, layout: str) -> None:
    npu.set(run_ms=50)
    with opened(getattr(oms, layout)) as executor:
        for window in windows_of(layout, 40, 50):
            executor.begin(window)


def test_what_cannot_be_given_back_is_an_error(npu: Npu, oms: NanoOms, monkeypatch: pytest.MonkeyPatch) -> None:
    import acl

    free_host = acl.rt.free_host
    monkeypatch.setattr(acl.rt, "free_host", lambda address: free_host(address) or 100000)
    executor = AscendExecutor(lambda _: oms.static, longest=LONGEST)
    with pytest.raises(AclError, match=r"acl\.rt\.free_host failed with 100000"):
        executor.close()


# Problems of a machine


def failure(om: Path, **options: Any) -> FunasrError:
    with pytest.raises(FunasrError) as caught, opened(om, **options):
        pass
    return caught.value


def test_without_cann_it_says_what_to_set(oms: NanoOms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "acl", None)
    error = failure(oms.static)
    assert isinstance(error, DeviceError)
    assert "CANN's Python module cannot be imported" in str(error)
    for word in ("ascend_env.sh", "$ASCEND_TOOLKIT_HOME/python/site-packages", "LD_LIBRARY_PATH", "driver"):
        assert word in str(error)


@pytest.mark.parametrize(
    ("settings", "index", "words"),
    [
        ({"socs": []}, 0, ["NPU 0 cannot be used; the runtime finds 0", "107001", "/dev/davinci_manager", "hisi_hdc"]),
        ({}, 3, ["NPU 3 cannot be used; the runtime finds 1", "107001", "ASCEND_RT_VISIBLE_DEVICES"]),
        ({"busy": [0]}, 0, ["NPU 0 cannot be used", "507033", "held by another process", "npu-smi info"]),
        ({"memory_mb": 1}, 0, ["acl.mdl.load_from_file failed with 207001", "memory is full", "npu-smi info"]),
        ({"load_error": 245000}, 0, ["acl.mdl.load_from_file failed with 245000", "memory is full", "npu-smi info"]),
        ({"load_error": 507011}, 0, ["acl.mdl.load_from_file failed with 507011", "npu-smi info"]),
    ],
)
def test_a_device_that_cannot_be_used_is_an_error_that_says_why(
    npu: Npu, oms: NanoOms, settings: dict[str, Any], index: int, words: list[str]
) -> None:
    npu.set(**settings)
    error = failure(oms.static, npu=index)
    assert isinstance(error, DeviceError)
    assert not isinstance(error, DeviceLost)
    for word in words:
        assert word in str(error)


def test_a_release_that_lacks_a_call_is_told_before_anything_is_run(
    npu: Npu, oms: NanoOms, monkeypatch: pytest.MonkeyPatch
) -> None:
    import acl

    monkeypatch.delattr(acl.rt, "synchronize_stream_with_timeout")
    error = failure(oms.static)
    assert isinstance(error, DeviceError)
    assert "this release of CANN has no acl.rt.synchronize_stream_with_timeout" in str(error)


def test_memory_may_end_behind_the_weights(npu: Npu, oms: NanoOms) -> None:
    npu.set(memory_mb=oms.static.stat().st_size / 1e6 + 0.1)
    assert "acl.rt.malloc failed with 207001" in str(failure(oms.static))


def test_an_om_for_another_soc_or_cann_is_the_models_fault(npu: Npu, oms: NanoOms, tmp_path: Path) -> None:
    npu.set(socs=["Ascend910B2"])
    error = failure(oms.static)
    assert isinstance(error, ModelError)
    for word in ("static.om: cannot be loaded on Ascend910B2", "500002", "convert MODEL_DIR --soc Ascend910B2"):
        assert word in str(error)
    npu.set(socs=["Ascend310P3"], load_error=545005)
    assert "545005" in str(failure(oms.static))
    npu.set(load_error=0)
    (tmp_path / "broken.om").write_bytes(b"rubbish")
    assert "broken.om: cannot be loaded" in str(failure(tmp_path / "broken.om"))


def test_the_om_is_chosen_by_the_soc_of_the_device(npu: Npu, oms: NanoOms) -> None:
    asked: list[str] = []

    def find(soc: str) -> Path:
        asked.append(soc)
        raise ModelError("there is none")

    with pytest.raises(ModelError, match="there is none"):
        AscendExecutor(find, longest=LONGEST)
    assert asked == ["Ascend310P3"]


@pytest.mark.parametrize(
    ("call", "value", "message"),
    [
        ("get_input_data_type", 27, "'speech' of the OM has a data type that NumPy does not have: aclDataType 27"),
        ("get_output_size_by_index", 64, "64 bytes for 'log_probs', too few for its shape"),
    ],
)
def test_a_description_that_cannot_be_right_is_refused(
    npu: Npu, oms: NanoOms, monkeypatch: pytest.MonkeyPatch, call: str, value: int, message: str
) -> None:
    import acl

    monkeypatch.setattr(acl.mdl, call, lambda *_: value)
    error = failure(oms.static)
    assert isinstance(error, ModelError)
    assert message in str(error)


# Faults in runs


@pytest.mark.parametrize("code", [507011, 507015, 507899])
@pytest.mark.parametrize("layout", ["static", "sherpa"])
def test_after_a_fault_the_same_window_runs_on_the_recovered_device(
    npu: Npu, oms: NanoOms, layout: str, code: int
) -> None:
    npu.set(faults={"2": code})
    window = inputs(40)
    if layout == "sherpa":
        window = {"x": window["speech"], "prompt": np.array([3, 1, 2, 14], np.int32)}
    with opened(getattr(oms, layout)) as executor:
        before = executor.run(window)
        with pytest.raises(DeviceLost, match=f"NPU 0 failed in a run: .* failed with {code}"):
            executor.run(window)
        with pytest.raises(DeviceLost, match="failed in an earlier run"):
            executor.run(window)
        executor.recover()
        assert_same(executor.run(window), before)


def test_a_run_that_hangs_is_given_up_and_the_device_recovered(npu: Npu, oms: NanoOms) -> None:
    npu.set(faults={"2": "hang"})
    with opened(oms.static, time_limit=5.0) as executor:
        before = executor.run(inputs(40))  # loads what the first run needs
    npu.set(faults={"2": "hang", "3": "hang"})
    started = time.monotonic()
    with opened(oms.static, time_limit=2.0) as executor:
        for _ in range(2):
            with pytest.raises(DeviceLost, match="NPU 0 did not end a run in time"):
                executor.run(inputs(40))
            executor.recover()
        assert time.monotonic() - started < 20  # of the 30 that a run may take by default
        assert_same(executor.run(inputs(40)), before)


@pytest.mark.parametrize("fault", [507018, "hang"])
def test_a_lost_device_can_be_closed_without_recovery(npu: Npu, oms: NanoOms, fault: int | str) -> None:
    npu.set(faults={"1": fault})
    with opened(oms.static, time_limit=0.2) as executor, pytest.raises(DeviceLost):
        executor.run(inputs(40))


def test_a_device_that_cannot_be_reset_is_left_to_the_end_of_the_process(npu: Npu, oms: NanoOms) -> None:
    npu.set(faults={"1": 507011}, failing_resets=1)
    executor = AscendExecutor(lambda _: oms.static, longest=LONGEST)
    with pytest.raises(DeviceLost):
        executor.run(inputs(40))
    with pytest.raises(DeviceError, match=r"(?s)NPU 0 cannot be reset: .*507899.*npu-smi set -t reset"):
        executor.recover()
    executor.close()
    assert npu.violations() == []
    left = {leak.split(" made")[0] for leak in npu.process.leaks()}
    assert left == {"device memory", "device 0, set 1 times more than reset", "acl, not finalised"}
    npu.process = None  # the process ends in this state
    npu.set(faults={})
    with opened(oms.static) as another:
        another.run(inputs(40))


def test_a_device_that_does_not_come_back_is_an_error(npu: Npu, oms: NanoOms) -> None:
    npu.set(faults={"1": 507011})
    with opened(oms.static) as executor:
        with pytest.raises(DeviceLost):
            executor.run(inputs(40))
        npu.process.machine.busy.append(0)
        with pytest.raises(DeviceError, match=r"NPU 0 cannot be used; the runtime finds 1: .*507033"):
            executor.recover()


def test_a_device_that_comes_back_without_its_memory_is_an_error(npu: Npu, oms: NanoOms) -> None:
    npu.set(faults={"1": 507011})
    with opened(oms.static) as executor:
        with pytest.raises(DeviceLost):
            executor.run(inputs(40))
        npu.process.devices[0].memory = 1000
        with pytest.raises(DeviceError, match="207001"):
            executor.recover()
        with pytest.raises(DeviceLost, match="failed in an earlier run"):  # the buffers of the last model are gone
            executor.run(inputs(40))
        npu.process.devices[0].memory = 10**9
        executor.recover()
        executor.run(inputs(40))


@pytest.mark.parametrize("code", [507011, 145000])
def test_a_model_that_cannot_be_loaded_again_is_the_fault_of_the_device(npu: Npu, oms: NanoOms, code: int) -> None:
    npu.set(faults={"1": 507011})
    with opened(oms.static) as executor:
        with pytest.raises(DeviceLost):
            executor.run(inputs(40))
        npu.process.machine.load_error = code
        with pytest.raises(DeviceError, match=str(code)):
            executor.recover()


# Several devices


def run_one(om: Path, index: int, frames: int) -> None:
    with opened(om, npu=index) as executor:
        for _ in range(frames):
            executor.run(inputs(frames))


def test_each_device_has_a_process_of_its_own(npu: Npu, oms: NanoOms) -> None:
    npu.set(socs=["Ascend310P3"] * 2)
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=run_one, args=(oms.static, index, 2 + index)) for index in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    reports = npu.reports()
    assert sorted(report["runs"] for report in reports) == [2, 3]
    assert all(report["violations"] == report["leaks"] == [] for report in reports)
