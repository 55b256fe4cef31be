"""The device processes of a run, one a seat: replaced where they die or hang, given up where they cannot go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from funasr_cli.errors import DeviceError, DeviceLost, FunasrError, InputError
from funasr_cli.executors.ascend.acl import CURE
from funasr_cli.executors.failover import ON_THE_CPU
from funasr_cli.executors.placement import Seat
from funasr_cli.models.store import Model
from funasr_cli.pool.crash_policy import Strikes
from funasr_cli.pool.dispatcher import Exchange
from funasr_cli.pool.handles import Device, Worker
from funasr_cli.pool.protocol import Broke, FromDevice, Loaded, Note, Ran, Run, Unusable
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.reporting.reporter import Ledger
from funasr_cli.system.process import Death

Order = Callable[[Device, Run], None]

STARTING = 600.0
"""Seconds that a device process may take to load its graph."""

GIVEN_UP = 6
"""Failures in a row after which an NPU is given up, before it costs all recordings: each costs one after two."""


class Fleet:
    """Knows the device processes; the pool listens to them, and tells this what it heard."""

    def __init__(
        self,
        slots: Slots,
        model: Model,
        ledger: Ledger,
        exchange: Callable[[Order], Exchange[Worker, Device]],
        watch: Callable[[Device], None],
        clock: Callable[[], float],
        *,
        window_timeout: float,
    ) -> None:
        """`exchange` makes one that gives its orders to this; `watch` is given each new process to listen to.

        A process that takes longer for a window than `window_timeout` seconds of `clock` hangs.
        """
        self.exchange = exchange(self._order)
        self.processes: set[Device] = set()
        self.loaded: Loaded | None = None
        """What the first that was ready said of the graph."""
        self._slots = slots
        self._model = model
        self._ledger = ledger
        self._watch = watch
        self._window_timeout = window_timeout
        self._clock = clock
        self._strikes: Strikes[int] = Strikes()  # of the windows in the slots

    def start(self, seat: Seat, failures: int = 0) -> None:
        """Start a process for a seat, in which there were so many failures since a run went well."""
        device = Device.start(self._slots, self._model, seat, self._clock(), failures)
        self.processes.add(device)
        self._watch(device)

    def new_window(self, slot: int) -> None:
        """There is another window in the slot than the one that processes may have died of."""
        self._strikes.forget(slot)

    def heard(self, device: Device, message: FromDevice) -> None:
        """A process said something. Raises what makes the last seat unusable."""
        device.since = self._clock()
        match message:
            case Ran():
                device.failures = 0
                self._ledger.tally.busy += message.seconds
                self.exchange.answer(device, message)
            case Broke(_, error):
                self.exchange.answer(device, message)
                if isinstance(error, DeviceLost) and not device.gives_up:
                    device.failures += 2  # it was run twice
                    if self._given_up(device, error.what):
                        device.child.kill()
            case Note(text):
                self._ledger.display.warn(text)
            case Loaded():
                self.loaded = self.loaded or message
                self.exchange.add_device(device)
            case Unusable(error):
                self._leave_out(device, error)

    def lost(self, device: Device, death: Death) -> None:
        """A process is gone: its windows are the next to be run, by another one in its seat.

        Raises what makes the last seat unusable.
        """
        slot = self.exchange.under_way(device)
        verdict = None
        if slot is not None and self._strikes.out(slot, 0.0, at_fault=death.at_fault):
            verdict = Broke(slot, InputError(f"device processes die over a window of it: {death.how}"))
        self.processes.remove(device)
        self.exchange.remove_device(device, verdict)
        device.failures += death.at_fault if device.born else 2
        if not device.gives_up and not self._given_up(device, death.how):
            what = f"the process of {device.seat.name} was lost ({death.how})"
            self._ledger.display.warn(f"{what}; its windows are run again in a new one")
            self.start(device.seat, device.failures)

    def hung(self) -> list[tuple[Device, str]]:
        """The processes that hang, and how that shows."""
        found = []
        for device in self.processes:
            waits = self._clock() - device.since
            if not device.born and waits > STARTING:
                found.append((device, f"it was not ready within {STARTING:.0f} s"))
            elif self.exchange.under_way(device) is not None and waits > self._window_timeout:
                found.append((device, f"no answer within --window-timeout, {self._window_timeout:.0f} s"))
        return found

    def _given_up(self, device: Device, how: str) -> bool:
        """Whether its NPU has failed too often; the CPU takes its place where that is allowed."""
        seat = device.seat
        if seat.npu is None or device.failures < GIVEN_UP:
            return False
        error = DeviceError(f"{seat.name} fails again and again: {how}", hint=CURE)
        if seat.fallback:
            device.gives_up = True
            self._ledger.display.warn(f"{error.what}; {ON_THE_CPU}")
            self.start(replace(seat, npu=None, fallback=False))
        else:
            self._leave_out(device, error)
        return True

    def _leave_out(self, device: Device, error: FunasrError) -> None:
        """Go on with the others. Raises the error where there are none."""
        device.gives_up = True
        if all(other.gives_up for other in self.processes):
            raise error
        self._ledger.display.warn(f"{device.seat.name} is not used: {error}")
        self._ledger.tally.devices -= 1

    def _order(self, device: Device, run: Run) -> None:
        if self.exchange.under_way(device) == run.slot:
            device.since = self._clock()
        device.child.say(run)
