"""The star's middle: who has which slot, which windows wait, and which device runs them.

Everything goes through the parent, and nothing is locked: each child has a pipe of its own to it, so a child that dies
takes no lock and no message of another with it. A device's answer comes over the pipe of the process that was given
the slot, and the pipe of a dead process is closed; so no late answer is ever taken for that of a later use.

Slots are given out in the order in which they were asked for, one at a time to each worker, so that a worker with a
ten-hour recording gets no more of them than one with five seconds.

A device takes up its windows in the order in which they came, several at a time if it runs them side by side, and
answers each as it is done. So the first of those that are not answered are the ones that it runs. Each of them has its
share of the device's time, by which it is judged whether one hangs. If the device dies, its windows run alone next:
whatever the next process dies of is known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from funasr_cli.pool.protocol import RunWindow, SlotGranted, WindowDone, WindowFailed

WorkerT = TypeVar("WorkerT", bound=Hashable)
DeviceT = TypeVar("DeviceT", bound=Hashable)

WAITING_WINDOWS = 2
"""Windows that a device process has beside those that it runs, so that it waits for nobody."""

MAX_SHARES = 8
"""Into which the time of a device is divided. Windows that run side by side wait for each other's cores, memory and
batches, but with more shares a device that hangs would not be noticed for hours."""


def windows_at(together: int) -> int:
    """How many windows a device process has at a time that runs so many side by side."""
    return together + WAITING_WINDOWS


@dataclass(slots=True)
class _Device:
    """What a device has: slots in their order, and what each of the first `together` has had of its time, in seconds.

    Up to the time `seen`, that is: `advance` brings it up to date.
    """

    together: int
    seen: float
    slots: deque[int] = field(default_factory=deque)
    had: dict[int, float] = field(default_factory=dict)

    @property
    def load(self) -> float:
        return len(self.slots) / self.together

    def given(self, slot: int, now: float) -> None:
        self.advance(now)
        self.slots.append(slot)
        self._take_up()

    def answered(self, slot: int, now: float) -> None:
        self.advance(now)
        self.slots.remove(slot)
        self.had.pop(slot, None)
        self._take_up()

    def advance(self, now: float) -> None:
        for slot in self.had:
            self.had[slot] += (now - self.seen) / min(len(self.had), MAX_SHARES)
        self.seen = now

    def _take_up(self) -> None:
        for slot in islice(self.slots, self.together):
            self.had.setdefault(slot, 0.0)


class Dispatcher(Generic[WorkerT, DeviceT]):
    """Keeps account of slots; it speaks to workers and devices through `to_worker` and `to_device`."""

    def __init__(
        self,
        slots: int,
        to_worker: Callable[[WorkerT, SlotGranted | WindowDone | WindowFailed], None],
        to_device: Callable[[DeviceT, RunWindow], None],
        now: Callable[[], float],
    ) -> None:
        """`now` is the time in seconds."""
        self._to_worker = to_worker
        self._to_device = to_device
        self._now = now
        self._free = list(range(slots))
        self._wanting: deque[WorkerT] = deque()
        self._owners: dict[int, WorkerT | None] = {}  # of slots in use; None: the owner is gone, a device still has it
        self._ready: deque[int] = deque()  # to be run, in this order
        self._suspects: set[int] = set()  # a device died with them: each is run alone
        self._devices: dict[DeviceT, _Device] = {}

    def request_slot(self, worker: WorkerT) -> None:
        """The worker wants a slot."""
        self._wanting.append(worker)
        self._grant()

    def submit(self, worker: WorkerT, slot: int) -> None:
        """The worker has put a window into its slot."""
        assert self._owners[slot] == worker
        self._ready.append(slot)
        self._dispatch()

    def release(self, worker: WorkerT, slot: int) -> None:
        """The worker gives its slot back."""
        assert self._owners[slot] == worker
        self._release(slot)

    def complete(self, device: DeviceT, answer: WindowDone | WindowFailed) -> None:
        """The device has run one of its windows."""
        self._devices[device].answered(answer.slot, self._now())
        self._suspects.discard(answer.slot)
        self._answer(answer)
        self._dispatch()

    def add_device(self, device: DeviceT, together: int) -> None:
        """The device can take windows, and runs so many side by side."""
        self._devices[device] = _Device(together, self._now())
        self._dispatch()

    def running(self, device: DeviceT) -> Mapping[int, float]:
        """The slots that the device is running, and how many seconds of its time each has had: of each second a share,
        however many of them are run side by side.
        """
        found = self._devices.get(device)
        if found is None:
            return {}
        found.advance(self._now())
        return dict(found.had)

    def grant_time(self, device: DeviceT) -> None:
        """What the device has run so far does not count: it was busy with something else."""
        if found := self._devices.get(device):
            found.advance(self._now())
            found.had = dict.fromkeys(found.had, 0.0)

    def remove_device(self, device: DeviceT, verdict: WindowFailed | None = None) -> None:
        """The device is gone: its windows are run next, each alone, but for the one that gets a `verdict` instead."""
        found = self._devices.pop(device, None)
        for slot in reversed(found.slots if found else ()):
            if self._owners[slot] is None:
                self._release(slot)
            elif verdict is not None and slot == verdict.slot:
                self._answer(verdict)
            else:
                self._suspects.add(slot)
                self._ready.appendleft(slot)
        self._dispatch()

    def remove_worker(self, worker: WorkerT) -> None:
        """The worker is gone: its slots are free, but for those that a device still has."""
        self._wanting = deque(other for other in self._wanting if other != worker)
        at_devices = self._at_devices()
        for slot in [slot for slot, owner in self._owners.items() if owner == worker]:
            if slot in at_devices:
                self._owners[slot] = None
            else:
                if slot in self._ready:
                    self._ready.remove(slot)
                self._release(slot)
        self._dispatch()  # what had to run alone may have been in the way of others

    def owes(self, worker: WorkerT) -> bool:
        """Whether the worker waits for a slot or for an answer."""
        pending = {*self._ready, *self._at_devices()}
        return worker in self._wanting or any(self._owners[slot] == worker for slot in pending)

    def _at_devices(self) -> set[int]:
        return {slot for device in self._devices.values() for slot in device.slots}

    def _answer(self, answer: WindowDone | WindowFailed) -> None:
        owner = self._owners[answer.slot]
        if owner is None:
            self._release(answer.slot)
        else:
            self._to_worker(owner, answer)

    def _release(self, slot: int) -> None:
        del self._owners[slot]
        self._suspects.discard(slot)
        self._free.append(slot)  # the last one is the next one: its pages are there already
        self._grant()

    def _grant(self) -> None:
        while self._free and self._wanting:
            worker, slot = self._wanting.popleft(), self._free.pop()
            self._owners[slot] = worker
            self._to_worker(worker, SlotGranted(slot))

    def _dispatch(self) -> None:
        """Give waiting windows to the devices, the one with the least to do first."""
        while self._ready and self._devices:
            slot = self._ready[0]
            taking = [name for name, device in self._devices.items() if self._takes(device, slot)]
            if not taking:
                return
            name = min(taking, key=lambda name: self._devices[name].load)
            self._ready.popleft()
            self._devices[name].given(slot, self._now())
            self._to_device(name, RunWindow(slot))

    def _takes(self, device: _Device, slot: int) -> bool:
        alone = slot in self._suspects or not self._suspects.isdisjoint(device.slots)
        return len(device.slots) < (1 if alone else windows_at(device.together))
