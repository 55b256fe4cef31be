"""When an NPU is given up: devices that only say what they are told to."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import cast

import pytest

from funasr_cli.errors import DeviceError, DeviceLost
from funasr_cli.executors.placement import Seat
from funasr_cli.models.store import Model
from funasr_cli.pool.dispatcher import Exchange
from funasr_cli.pool.handles import Device, Worker
from funasr_cli.pool.protocol import Broke, Ran
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.pool.supervisor import GIVEN_UP, Fleet
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Ledger
from funasr_cli.reporting.stats import Tally
from funasr_cli.system.process import Child

LOST = DeviceLost("NPU 0 failed in a run")
SLOTS = 8


@dataclass
class Spoken:
    """A child that is no process."""

    killed: bool = False
    said: list[object] = field(default_factory=list)

    def say(self, message: object) -> None:
        self.said.append(message)

    def kill(self) -> None:
        self.killed = True


class Scene:
    """A fleet with one NPU, to which all windows have been given."""

    def __init__(self, *, fallback: bool) -> None:
        self.shown, self.started = io.StringIO(), list[Seat]()
        self.fleet = Fleet(
            cast(Slots, None),
            cast(Model, None),
            Ledger(Display(self.shown), Tally(devices=1)),
            lambda order: Exchange[Worker, Device](SLOTS, lambda *_: None, order),
            lambda _: None,
            lambda: 0.0,
            window_timeout=300,
        )
        self.fleet.start = lambda seat, failures=0: self.started.append(seat)  # type: ignore[assignment]
        self.child = Spoken()
        self.device = Device(cast(Child, self.child), Seat(1, npu=0, fallback=fallback), 0.0, born=True)
        self.fleet.processes.add(self.device)
        self.fleet.exchange.add_device(self.device)
        us = cast(Worker, "us")
        for slot in reversed(range(SLOTS)):
            self.fleet.exchange.want(us)
            self.fleet.exchange.run(us, slot)

    def hear(self, *outcomes: type[Broke] | type[Ran]) -> None:
        for outcome in outcomes:
            slot = self.fleet.exchange.under_way(self.device)
            assert slot is not None
            self.fleet.heard(self.device, Broke(slot, LOST) if outcome is Broke else Ran(slot, 0.1, "npu"))


def test_windows_that_break_one_after_the_other_cost_the_device_its_work_once() -> None:
    scene = Scene(fallback=True)
    scene.hear(*[Broke] * (GIVEN_UP // 2 + 2))  # the parent may hear of more before it is dead
    assert scene.started == [Seat(1)]
    assert scene.child.killed
    assert scene.shown.getvalue().count("fails again and again") == 1


def test_a_window_that_goes_well_begins_the_count_anew() -> None:
    scene = Scene(fallback=True)
    scene.hear(Broke, Broke, Ran, Broke, Broke)
    assert not scene.started
    assert not scene.child.killed


def test_without_another_device_the_run_ends() -> None:
    scene = Scene(fallback=False)
    scene.hear(Broke, Broke)
    with pytest.raises(DeviceError, match="NPU 0 fails again and again: NPU 0 failed in a run"):
        scene.hear(Broke)
