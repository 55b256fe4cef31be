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
from funasr_cli.system.process import ChildProcess

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


class Scene:
    """A supervisor with one NPU, to which all windows have been given."""

    def __init__(self, *, fallback: bool) -> None:
        self.shown, self.started = io.StringIO(), list[Placement]()
        self.dispatcher: Dispatcher[WorkerHandle, DeviceHandle] = Dispatcher(
            SLOTS, lambda *_: None, lambda device, order: device.send_window(order, 0.0)
        )
        self.supervisor = DeviceSupervisor(
            cast(Slots, None),
            cast(Model, None),
            self.dispatcher,
            Reporter(Display(self.shown), RunStats(devices=1)),
            lambda _: None,
            ActiveClock(0.2),
            window_timeout=300,
        )
        self.supervisor.start = lambda placement, failures=0: self.started.append(placement)  # type: ignore[assignment]
        self.child = Spoken()
        self.device = DeviceHandle(
            cast(ChildProcess, self.child), Placement(1, npu=0, fallback=fallback), 0.0, ready=True
        )
        self.supervisor.processes.add(self.device)
        self.dispatcher.add_device(self.device)
        us = cast(WorkerHandle, "us")
        for slot in reversed(range(SLOTS)):
            self.dispatcher.request_slot(us)
            self.dispatcher.submit(us, slot)

    def hear(self, *outcomes: type[WindowFailed] | type[WindowDone]) -> None:
        for outcome in outcomes:
            slot = self.dispatcher.running(self.device)
            assert slot is not None
            self.supervisor.handle(
                self.device, WindowFailed(slot, LOST) if outcome is WindowFailed else WindowDone(slot, 0.1, "npu")
            )


def test_windows_that_break_one_after_the_other_cost_the_device_its_work_once() -> None:
    scene = Scene(fallback=True)
    scene.hear(*[WindowFailed] * (MAX_DEVICE_FAILURES // 2 + 2))  # the parent may hear of more before it is dead
    assert scene.started == [Placement(1)]
    assert scene.child.killed
    assert scene.shown.getvalue().count("fails again and again") == 1


def test_a_window_that_goes_well_begins_the_count_anew() -> None:
    scene = Scene(fallback=True)
    scene.hear(WindowFailed, WindowFailed, WindowDone, WindowFailed, WindowFailed)
    assert not scene.started
    assert not scene.child.killed


def test_without_another_device_the_run_ends() -> None:
    scene = Scene(fallback=False)
    scene.hear(WindowFailed, WindowFailed)
    with pytest.raises(DeviceError, match="NPU 0 fails again and again: NPU 0 failed in a run"):
        scene.hear(WindowFailed)
