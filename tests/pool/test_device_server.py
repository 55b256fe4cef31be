"""What a device process does with its orders, in the order in which they came."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn, cast

import numpy as np
import pytest

from funasr_cli.arrays import Arrays
from funasr_cli.errors import DeviceError, DeviceLost
from funasr_cli.executors.base import Fetch
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import GraphInfo
from funasr_cli.pool import device_server
from funasr_cli.pool.device_server import run_in_turn, run_side_by_side
from funasr_cli.pool.protocol import DeviceNotice, DeviceReady, DeviceUnusable, RunWindow, WindowDone, WindowFailed
from funasr_cli.pool.shared_memory import Slots


class Scripted:
    """Doubles what it gets; -1 cannot be begun, -2 is lost, with -3 the device does not come back."""

    device, inputs, outputs = "scripted", (), ()

    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self, inputs: Arrays) -> Fetch:
        (number,) = inputs["x"].tolist()
        self.calls.append(f"begin {number}")
        if number == -1:
            raise ValueError("misshapen")

        def fetch() -> tuple[Arrays, float]:
            self.calls.append(f"fetch {number}")
            if number < -1:
                raise DeviceLost("lost") if number == -2 else DeviceError("gone")
            return {"x": inputs["x"] * 2}, 0.5

        return fetch

    def run(self, inputs: Arrays) -> Arrays:
        return self.begin(inputs)()[0]

    def close(self) -> None: ...


@pytest.fixture
def slots() -> Iterator[Slots]:
    slots = Slots(5)
    yield slots
    slots.close()


def answers(executor: Scripted, slots: Slots, numbers: list[int]) -> list[object]:
    """What it says to orders that have all come, before the parent goes."""
    here, there = Pipe()
    for slot, number in enumerate(numbers):
        slots.write_inputs(slot, {"x": np.array([number])})
        here.send(RunWindow(slot))
    pipe = Recorder(there, len(numbers))
    with contextlib.suppress(EOFError):
        run_in_turn(executor, pipe, slots)  # type: ignore[arg-type]
    here.close()
    there.close()
    return pipe.said


class Recorder:
    """The child's end of a pipe, which breaks when so many answers were sent."""

    def __init__(self, pipe: Connection, answers: int) -> None:
        self.poll, self.recv = pipe.poll, pipe.recv
        self.said: list[object] = []
        self._answers = answers

    def send(self, message: object) -> None:
        self.said.append(message)
        if len(self.said) == self._answers:
            raise EOFError


def test_the_next_window_is_begun_before_the_last_is_fetched(slots: Slots) -> None:
    executor = Scripted()
    assert answers(executor, slots, [1, 2, 3]) == [WindowDone(slot, 0.5, "scripted") for slot in range(3)]
    assert executor.calls == ["begin 1", "begin 2", "fetch 1", "begin 3", "fetch 2", "fetch 3"]
    assert [slots.outputs(slot)["x"].tolist() for slot in range(3)] == [[2], [4], [6]]


def test_no_more_windows_are_begun_than_two(slots: Slots) -> None:
    executor = Scripted()
    assert len(answers(executor, slots, [1, 2, 3, 4, 5])) == 5
    begun = [sum(call.startswith("begin") for call in executor.calls[:at]) for at in range(len(executor.calls))]
    fetched = [sum(call.startswith("fetch") for call in executor.calls[:at]) for at in range(len(executor.calls))]
    assert max(b - f for b, f in zip(begun, fetched, strict=True)) == 2


class Meeting(Scripted):
    """Each run waits until so many are made at a time, and that of the number 1 until it may end."""

    def __init__(self, runs: int) -> None:
        super().__init__()
        self._together = threading.Barrier(runs)
        self.may_end = threading.Event()

    def begin(self, inputs: Arrays) -> Fetch:
        fetch = super().begin(inputs)
        (number,) = inputs["x"].tolist()

        def meet() -> tuple[Arrays, float]:
            self._together.wait(10)
            if number == 1:
                assert self.may_end.wait(10)
            return fetch()

        return meet


@pytest.mark.parametrize(("second", "kind"), [(2, WindowDone), (-2, WindowFailed)])
def test_side_by_side_each_is_answered_when_it_is_done(slots: Slots, second: int, kind: type) -> None:
    here, there = Pipe()
    executor = Meeting(2)
    server = threading.Thread(target=serve_side_by_side, args=(executor, there, slots))
    server.start()
    for slot, number in enumerate([1, second]):
        slots.write_inputs(slot, {"x": np.array([number])})
        here.send(RunWindow(slot))
    answer = here.recv()
    assert (answer.slot, type(answer)) == (1, kind)
    executor.may_end.set()
    assert here.recv() == WindowDone(0, 0.5, "scripted")
    assert slots.outputs(0)["x"].tolist() == [2]
    here.close()
    server.join(10)
    assert not server.is_alive()


def serve_side_by_side(executor: Scripted, pipe: Connection, slots: Slots) -> None:
    with contextlib.suppress(EOFError):
        run_side_by_side(executor, pipe, slots, 2)


@pytest.mark.parametrize(("number", "error"), [(-1, "running a window failed: ValueError: misshapen"), (-2, "lost")])
def test_what_breaks_is_answered_in_its_turn(slots: Slots, number: int, error: str) -> None:
    first, second, third = answers(Scripted(), slots, [1, number, 3])
    assert [first, third] == [WindowDone(0, 0.5, "scripted"), WindowDone(2, 0.5, "scripted")]
    assert isinstance(second, WindowFailed)
    assert (second.slot, second.error.what) == (1, error)


def test_what_no_answer_can_be_made_of_ends_the_process(
    slots: Slots, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    over = threading.Event()

    def note(code: int) -> None:
        ended.append(code)
        over.set()

    monkeypatch.setattr(device_server.os, "_exit", note)
    here, there = Pipe()
    server = threading.Thread(target=serve_side_by_side, args=(Scripted(), there, slots))
    server.start()
    slots.write_inputs(0, {"x": np.array([-3])})  # the device does not come back
    here.send(RunWindow(0))
    assert over.wait(10)
    here.close()
    server.join(10)
    assert ended == [1]
    assert "DeviceError: gone" in capsys.readouterr().err


def test_a_window_whose_parent_is_gone_ends_nothing(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(device_server.os, "_exit", ended.append)
    here, there = Pipe()
    executor = Meeting(1)
    server = threading.Thread(target=serve_side_by_side, args=(executor, there, slots))
    server.start()
    for slot, number in enumerate([1, 1, 2, 3]):  # two are run at a time, and the others never
        slots.write_inputs(slot, {"x": np.array([number])})
        here.send(RunWindow(slot))
    here.close()
    executor.may_end.set()
    server.join(10)
    assert not server.is_alive()
    assert not ended


def test_a_device_that_does_not_come_back_ends_the_process(slots: Slots) -> None:
    with pytest.raises(SystemExit) as caught:
        answers(Scripted(), slots, [1, -3, 3])
    assert caught.value.code == 1


def test_a_device_that_does_not_come_back_is_told_of(slots: Slots) -> None:
    here, there = Pipe()
    slots.write_inputs(0, {"x": np.array([-3])})
    here.send(RunWindow(0))
    with pytest.raises(SystemExit):
        run_in_turn(Scripted(), there, slots)
    assert here.recv() == DeviceNotice("gone")
    assert not here.poll()
    for end in (here, there):
        end.close()


@dataclass
class Recognizer:
    window: float = 15.0


@pytest.mark.parametrize(
    ("runs", "calls"),
    [
        (1, ["begin 1", "begin 2", "fetch 1", "begin 3", "fetch 2", "fetch 3", "close"]),
        (2, ["begin 1", "fetch 1", "begin 2", "fetch 2", "begin 3", "fetch 3", "close"]),
    ],
)
def test_it_is_ready_serves_and_lets_go_of_the_device(
    slots: Slots, monkeypatch: pytest.MonkeyPatch, runs: int, calls: list[str]
) -> None:
    executor = Scripted()
    graph = GraphInfo("scripted", (), (), {})
    names: list[str] = []

    def load(_: Model, placement: Placement, tell: Callable[[str], None]) -> tuple[Scripted, GraphInfo]:
        assert placement.runs == runs
        tell("it is warm")
        return executor, graph

    def close() -> None:
        executor.calls.append("close")
        raise DeviceError("it does not let go")  # but will when the process ends

    monkeypatch.setattr(executor, "close", close)
    monkeypatch.setattr(device_server, "init_child", names.append)
    monkeypatch.setattr(device_server, "load_executor", load)
    monkeypatch.setattr(device_server, "load_recognizer", lambda *_: Recognizer())
    ways: list[str] = []

    def noted(way: Callable[..., None]) -> Callable[..., None]:
        return lambda *arguments: ways.append(way.__name__) or way(*arguments)

    for way in (run_in_turn, run_side_by_side):
        monkeypatch.setattr(device_server, way.__name__, noted(way))
    here, there = Pipe()
    order = [1, 2, 3]
    for slot, number in enumerate(order):
        slots.write_inputs(slot, {"x": np.array([number])})
    server = threading.Thread(
        target=device_server.serve_device, args=(there, slots, cast(Model, None), Placement(1, runs=runs))
    )
    if runs == 1:  # all have come before it looks
        for slot in range(3):
            here.send(RunWindow(slot))
    server.start()
    assert here.recv() == DeviceNotice("it is warm")
    assert here.recv() == DeviceReady(graph, 15.0)
    for slot in range(3):
        if runs > 1:
            here.send(RunWindow(slot))
        assert here.recv() == WindowDone(slot, 0.5, "scripted")
    here.close()
    server.join(10)
    assert not server.is_alive()
    there.close()
    assert executor.calls == calls
    assert names == ["funasr-device"]
    assert ways == ["run_in_turn" if runs == 1 else "run_side_by_side"]


def test_it_is_kept_on_the_node_of_its_seat(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    def unusable(*_: object) -> NoReturn:
        raise DeviceError("there is none")

    pinned: list[int | None] = []
    monkeypatch.setattr(device_server, "init_child", lambda _: None)
    monkeypatch.setattr(device_server, "pin", pinned.append)
    monkeypatch.setattr(device_server, "load_executor", unusable)
    here, there = Pipe()
    device_server.serve_device(there, slots, cast(Model, None), Placement(1, node=3))
    assert pinned == [3]
    said = here.recv()
    assert isinstance(said, DeviceUnusable)
    assert "in unusable" in said.trace
    for end in (here, there):
        end.close()
