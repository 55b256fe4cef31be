"""When an NPU is given up: devices that only say what they are told to."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import cast

import pytest

from funasr_cli.errors import DeviceError, DeviceLost, ModelError
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import GraphInfo
from funasr_cli.pool.device_supervisor import MAX_DEVICE_FAILURES, DeviceSupervisor
from funasr_cli.pool.dispatcher import Dispatcher
from funasr_cli.pool.process_handles import DeviceHandle, WorkerHandle
from funasr_cli.pool.protocol import DeviceNotice, DeviceReady, DeviceUnusable, WindowDone, WindowFailed
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
        self.shown, self.started, self.counts = io.StringIO(), list[Placement](), list[int]()
        self.stats = RunStats(devices=1)
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
            Reporter(Display(self.shown), self.stats),
            lambda _: None,
            cast(ActiveClock, self.clock),
            window_timeout=300,
        )
        self.supervisor.start = self.start  # type: ignore[method-assign]
        self.child = Spoken()
        self.device = DeviceHandle(cast(ChildProcess, self.child), placement, 0.0, ready=True)
        self.supervisor.processes.add(self.device)
        self.dispatcher.add_device(self.device, placement.runs)
        us = cast(WorkerHandle, "us")
        for slot in reversed(range(SLOTS)):
            self.dispatcher.request_slot(us)
            self.dispatcher.submit(us, slot)
        self.answers.clear()

    def start(self, placement: Placement, failures: int = 0) -> None:
        self.started.append(placement)
        self.counts.append(failures)

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
    assert scene.shown.getvalue().count("keeps failing") == 1


def test_a_window_that_goes_well_begins_the_count_anew() -> None:
    scene = Scene(Placement(1, npu=0, fallback=True))
    scene.hear(WindowFailed, WindowFailed, WindowDone, WindowFailed, WindowFailed)
    assert scene.device.failures == 4
    assert not scene.started
    assert not scene.child.killed


def test_without_another_device_the_run_ends() -> None:
    scene = Scene(Placement(1, npu=0))
    scene.hear(WindowFailed, WindowFailed)
    with pytest.raises(DeviceError, match="NPU 0 keeps failing: NPU 0 failed in a run"):
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


def test_a_window_is_not_blamed_for_what_the_last_one_in_its_slot_did() -> None:
    scene = Scene(Placement(1))
    (slot,) = scene.dispatcher.running(scene.device)
    scene.supervisor.replace(scene.device, ABORTED)
    scene.come_back()
    scene.supervisor.new_window(slot)
    scene.supervisor.replace(scene.device, ABORTED)
    assert not scene.answers
    scene.come_back()
    scene.supervisor.replace(scene.device, ABORTED)
    assert [said.slot for said in scene.answers if isinstance(said, WindowFailed)] == [slot]


def test_hours_without_a_window_are_not_time_that_a_window_takes() -> None:
    scene = Scene(Placement(1))
    for _ in range(SLOTS):
        scene.hear(WindowDone)
    scene.clock.now += 7200
    us = cast(WorkerHandle, "us")
    scene.dispatcher.submit(us, 0)
    assert not scene.supervisor.find_hung()
    scene.clock.now += 300
    assert not scene.supervisor.find_hung()
    scene.clock.now += 1
    assert [device for device, _ in scene.supervisor.find_hung()] == [scene.device]


def test_a_device_that_says_something_of_itself_gets_more_time() -> None:
    scene = Scene(Placement(1, npu=0))
    scene.clock.now += 299
    scene.supervisor.handle(scene.device, DeviceNotice("the device is reset"))
    scene.clock.now += 299
    assert not scene.supervisor.find_hung()
    assert scene.shown.getvalue() == "the device is reset\n"


def test_a_device_has_ten_minutes_to_become_ready() -> None:
    scene = Scene(Placement(1))
    scene.device.ready, scene.device.since = False, 50.0
    scene.dispatcher.remove_device(scene.device)
    scene.clock.now = 650.0
    assert not scene.supervisor.find_hung()
    scene.clock.now = 651.0
    assert scene.supervisor.find_hung() == [(scene.device, "not ready within 600 s")]


@pytest.mark.parametrize(("ready", "deaths"), [(True, 6), (False, 3)])
def test_an_npu_whose_processes_keep_dying_is_given_up(ready: bool, deaths: int) -> None:
    scene = Scene(Placement(1, npu=0, fallback=True, runs=2))
    for death in range(deaths):
        assert scene.started == [scene.device.placement] * death
        scene.device.ready = ready
        scene.supervisor.replace(scene.device, ABORTED)
        scene.come_back()
    assert scene.started[-1] == Placement(1, runs=2)
    assert scene.device.disabled
    told = scene.shown.getvalue().splitlines()[-1]
    assert told.startswith("NPU 0 keeps failing: killed by SIGABRT; the CPU takes over from here")


def test_a_process_that_is_killed_from_outside_is_no_failure_of_its_npu() -> None:
    scene = Scene(Placement(1, npu=0))
    for _ in range(MAX_DEVICE_FAILURES + 1):
        scene.supervisor.replace(scene.device, Death("killed by SIGKILL", own_fault=False))
        scene.come_back()
    assert scene.device.failures == 0
    assert scene.counts == [0] * (MAX_DEVICE_FAILURES + 1)


def test_failures_are_counted_on_in_the_next_process() -> None:
    scene = Scene(Placement(1, npu=0))
    scene.hear(WindowFailed)
    scene.supervisor.replace(scene.device, ABORTED)
    assert scene.counts == [3]


def test_an_error_of_a_window_is_no_failure_of_the_device() -> None:
    scene = Scene(Placement(1, npu=0))
    slot = next(iter(scene.dispatcher.running(scene.device)))
    scene.supervisor.handle(scene.device, WindowFailed(slot, ModelError("misshapen")))
    assert scene.device.failures == 0
    assert [said.slot for said in scene.answers if isinstance(said, WindowFailed)] == [slot]


def test_what_is_not_used_any_more_is_not_counted_among_what_runs() -> None:
    scene = Scene(Placement(1, runs=3))
    other = DeviceHandle(cast(ChildProcess, Spoken()), Placement(1, runs=2), 0.0, ready=True)
    scene.supervisor.processes.add(other)
    assert scene.supervisor.runs == 5
    scene.supervisor.handle(other, DeviceUnusable(DeviceError("there is none")))
    assert (scene.supervisor.runs, scene.stats.devices) == (3, -1)
    scene.supervisor.replace(other, Death("exited with code 0", own_fault=True))
    assert not scene.started
    assert scene.supervisor.processes == {scene.device}
    assert scene.shown.getvalue() == "the CPU is not used: there is none\n"
    with pytest.raises(DeviceError, match="there is none"):
        scene.supervisor.handle(scene.device, DeviceUnusable(DeviceError("there is none")))


def test_the_first_that_is_ready_says_what_the_graph_is() -> None:
    scene = Scene(Placement(1))
    scene.dispatcher.remove_device(scene.device)
    first, second = (DeviceReady(GraphInfo(name, (), (), {}), 15.0) for name in ("npu", "cpu"))
    scene.supervisor.handle(scene.device, first)
    assert scene.dispatcher.running(scene.device)
    scene.dispatcher.remove_device(scene.device)
    scene.supervisor.handle(scene.device, second)
    assert scene.supervisor.first_ready == first
