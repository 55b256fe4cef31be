"""What a device process does with its orders, in the order in which they came."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
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
from funasr_cli.pool import device_server
from funasr_cli.pool.device_server import run_in_turn, run_side_by_side
from funasr_cli.pool.protocol import DeviceUnusable, RunWindow, WindowDone, WindowFailed
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


@pytest.mark.parametrize(("number", "error"), [(-1, "the run of a window failed: ValueError: misshapen"), (-2, "lost")])
def test_what_breaks_is_answered_in_its_turn(slots: Slots, number: int, error: str) -> None:
    first, second, third = answers(Scripted(), slots, [1, number, 3])
    assert [first, third] == [WindowDone(0, 0.5, "scripted"), WindowDone(2, 0.5, "scripted")]
    assert isinstance(second, WindowFailed)
    assert (second.slot, second.error.what) == (1, error)


def test_a_device_that_does_not_come_back_ends_the_process(slots: Slots) -> None:
    with pytest.raises(SystemExit):
        answers(Scripted(), slots, [1, -3, 3])


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
    assert isinstance(here.recv(), DeviceUnusable)
    for end in (here, there):
        end.close()
