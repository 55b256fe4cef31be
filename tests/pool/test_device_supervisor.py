"""When an NPU is given up: devices that only say what they are told to."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import cast

import pytest

from funasr_cli.errors import DeviceError, DeviceLost
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pool.device_supervisor import MAX_DEVICE_FAILURES, DeviceSupervisor
from funasr_cli.pool.dispatcher import Dispatcher
from funasr_cli.pool.process_handles import DeviceHandle, WorkerHandle
from funasr_cli.pool.protocol import WindowDone, WindowFailed
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.system.clock import ActiveClock
from funasr_cli.system.process import ChildProcess, Death

LOST = DeviceLost("NPU 0 failed in a run")
SLOTS = 8


@dataclass
class Spoken:
    """A child that is no process."""

    killed: bool = False
    said: list[object] = field(default_factory=list)

    def send(self, message: object) -> None:
        self.said.append(message)

    def kill(self) -> None:
        self.killed = True


@dataclass
class StoppedClock:
    now: float = 0.0


class Scene:
    """A supervisor with one device, to which all windows have been given."""

    def __init__(self, placement: Placement) -> None:
        self.shown, self.started = io.StringIO(), list[Placement]()
        self.clock = StoppedClock()
        self.answers: list[object] = []
        self.dispatcher: Dispatcher[WorkerHandle, DeviceHandle] = Dispatcher(
            SLOTS,
            lambda _, said: self.answers.append(said),
            lambda device, order: device.child.send(order),
            lambda: self.clock.now,
        )
        self.supervisor = DeviceSupervisor(
            cast(Slots, None),
            cast(Model, None),
            self.dispatcher,
            Reporter(Display(self.shown), RunStats(devices=1)),
            lambda _: None,
            cast(ActiveClock, self.clock),
            window_timeout=300,
        )
        self.supervisor.start = lambda placement, failures=0: self.started.append(placement)  # type: ignore[assignment]
        self.child = Spoken()
        self.device = DeviceHandle(cast(ChildProcess, self.child), placement, 0.0, ready=True)
        self.supervisor.processes.add(self.device)
        self.dispatcher.add_device(self.device, placement.runs)
        us = cast(WorkerHandle, "us")
        for slot in reversed(range(SLOTS)):
            self.dispatcher.request_slot(us)
            self.dispatcher.submit(us, slot)
        self.answers.clear()

    def come_back(self) -> None:
        """Another process is ready in the place of the device."""
        self.supervisor.processes.add(self.device)
        self.device.since = self.clock.now
        self.dispatcher.add_device(self.device, self.device.placement.runs)

    def hear(self, *outcomes: type[WindowFailed] | type[WindowDone]) -> None:
        for outcome in outcomes:
            slot = next(iter(self.dispatcher.running(self.device)))
            self.supervisor.handle(
                self.device, WindowFailed(slot, LOST) if outcome is WindowFailed else WindowDone(slot, 0.1, "npu")
            )


def test_windows_that_break_one_after_the_other_cost_the_device_its_work_once() -> None:
    scene = Scene(Placement(1, npu=0, fallback=True))
    scene.hear(*[WindowFailed] * (MAX_DEVICE_FAILURES // 2 + 2))  # the parent may hear of more before it is dead
    assert scene.started == [Placement(1)]
    assert scene.child.killed
    assert scene.shown.getvalue().count("fails again and again") == 1


def test_a_window_that_goes_well_begins_the_count_anew() -> None:
    scene = Scene(Placement(1, npu=0, fallback=True))
    scene.hear(WindowFailed, WindowFailed, WindowDone, WindowFailed, WindowFailed)
    assert not scene.started
    assert not scene.child.killed


def test_without_another_device_the_run_ends() -> None:
    scene = Scene(Placement(1, npu=0))
    scene.hear(WindowFailed, WindowFailed)
    with pytest.raises(DeviceError, match="NPU 0 fails again and again: NPU 0 failed in a run"):
        scene.hear(WindowFailed)


SIDE_BY_SIDE = Placement(1, runs=2)

ABORTED = Death("killed by SIGABRT", own_fault=True)


def test_of_windows_that_ran_side_by_side_none_is_blamed_before_a_process_died_of_it_alone() -> None:
    scene = Scene(SIDE_BY_SIDE)
    first, second = scene.dispatcher.running(scene.device)
    for verdicts in (0, 0, 1):
        scene.supervisor.replace(scene.device, ABORTED)
        assert [type(said) for said in scene.answers] == [WindowFailed] * verdicts
        scene.come_back()
        assert list(scene.dispatcher.running(scene.device)) == [second if verdicts else first]
    scene.supervisor.replace(scene.device, ABORTED)  # the second is innocent as yet
    assert len(scene.answers) == 1


def test_of_windows_that_ran_side_by_side_the_one_that_hangs_is_blamed() -> None:
    scene = Scene(SIDE_BY_SIDE)
    hung, _ = scene.dispatcher.running(scene.device)
    for shares in (2, 1):  # the second time it runs alone
        for seconds in (200, 99):
            scene.clock.now += shares * seconds
            for slot in list(scene.dispatcher.running(scene.device)):
                if slot != hung:
                    scene.supervisor.handle(scene.device, WindowDone(slot, 0.1, "cpu"))
            assert not scene.supervisor.find_hung()
        scene.clock.now += shares * 2
        ((device, how),) = scene.supervisor.find_hung()
        assert (device, how) == (scene.device, "no answer within --window-timeout, 300 s")
        scene.supervisor.replace(scene.device, Death(how, own_fault=True))
        scene.come_back()
    (failed,) = (said for said in scene.answers if isinstance(said, WindowFailed))
    assert failed.slot == hung
