"""The centre of the pool: tracks who owns which slot, which windows wait, and which device runs them.

Everything goes through the parent, and nothing is locked. Each child has its own pipe to the parent, so a child that
dies takes no lock and no message of another child with it. A device's answer arrives on the pipe of the process that
was given the slot, and the pipe of a dead process is closed, so a late answer is never mistaken for a later one.

Slots are granted in the order of the requests, one at a time to each worker, so that a worker with a ten-hour
recording gets no more of them than one with five seconds.

A device starts its windows in the order in which they arrive, several at a time if it runs them side by side, and
answers each as it finishes. So the first unanswered windows are the ones that are running. Each is charged a share of
the device's time, which shows whether one of them hangs. If the device dies, its windows are run alone next, so that
it is known which of them kills the next process.
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
"""Windows queued at a device process in addition to those that it runs, so that it never waits."""

MAX_SHARES = 8
"""The maximum number of shares into which a device's time is divided. Windows that run side by side wait for each
other's cores, memory and batches, but with more shares a hung device would not be noticed for hours."""


def windows_at(together: int) -> int:
    """The number of windows at a device process that runs `together` of them side by side."""
    return together + WAITING_WINDOWS


@dataclass(slots=True)
class _Device:
    """The slots at a device in their order, and the seconds of its time charged to each of the first `together`.

    The seconds are those up to the time `seen`; `advance` updates them.
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
    """Tracks slots; sends messages to workers and devices through `to_worker` and `to_device`."""

    def __init__(
        self,
        slots: int,
        to_worker: Callable[[WorkerT, SlotGranted | WindowDone | WindowFailed], None],
        to_device: Callable[[DeviceT, RunWindow], None],
        now: Callable[[], float],
    ) -> None:
        """`now` returns the time in seconds."""
        self._to_worker = to_worker
        self._to_device = to_device
        self._now = now
        self._free = list(range(slots))
        self._wanting: deque[WorkerT] = deque()
        self._owners: dict[int, WorkerT | None] = {}  # of slots in use; None: a device outlived the owner
        self._ready: deque[int] = deque()  # to be run, in this order
        self._suspects: set[int] = set()  # they were at a device that died: each is run alone
        self._devices: dict[DeviceT, _Device] = {}

    def request_slot(self, worker: WorkerT) -> None:
        """Queue a worker's request for a slot."""
        self._wanting.append(worker)
        self._grant()

    def submit(self, worker: WorkerT, slot: int) -> None:
        """Queue the window that the worker has written to its slot."""
        assert self._owners[slot] == worker
        self._ready.append(slot)
        self._dispatch()

    def release(self, worker: WorkerT, slot: int) -> None:
        """Take a slot back from a worker."""
        assert self._owners[slot] == worker
        self._release(slot)

    def complete(self, device: DeviceT, answer: WindowDone | WindowFailed) -> None:
        """Pass on the result of a window from the device that ran it."""
        self._devices[device].answered(answer.slot, self._now())
        self._suspects.discard(answer.slot)
        self._answer(answer)
        self._dispatch()

    def add_device(self, device: DeviceT, together: int) -> None:
        """Add a device that is ready and runs `together` windows side by side."""
        self._devices[device] = _Device(together, self._now())
        self._dispatch()

    def running(self, device: DeviceT) -> Mapping[int, float]:
        """The slots that the device is running, and the seconds of its time charged to each.

        Windows that run side by side share each second between them.
        """
        found = self._devices.get(device)
        if found is None:
            return {}
        found.advance(self._now())
        return dict(found.had)

    def grant_time(self, device: DeviceT) -> None:
        """Reset the time charged to the device's windows, because it was busy with something else."""
        if found := self._devices.get(device):
            found.advance(self._now())
            found.had = dict.fromkeys(found.had, 0.0)

    def remove_device(self, device: DeviceT, verdict: WindowFailed | None = None) -> None:
        """Remove a dead device; its windows run next, each alone, except for the one that gets a `verdict` instead."""
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
        """Remove a dead worker and free its slots, except for those that a device still has."""
        self._wanting = deque(other for other in self._wanting if other != worker)
        at_devices = self._at_devices()
        for slot in [slot for slot, owner in self._owners.items() if owner == worker]:
            if slot in at_devices:
                self._owners[slot] = None
            else:
                if slot in self._ready:
                    self._ready.remove(slot)
                self._release(slot)
        self._dispatch()  # a window that had to run alone may have blocked others

    def owes(self, worker: WorkerT) -> bool:
        """Whether the worker is waiting for a slot or for a result."""
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
        self._free.append(slot)  # reused first, because its pages are already allocated
        self._grant()

    def _grant(self) -> None:
        while self._free and self._wanting:
            worker, slot = self._wanting.popleft(), self._free.pop()
            self._owners[slot] = worker
            self._to_worker(worker, SlotGranted(slot))

    def _dispatch(self) -> None:
        """Give waiting windows to the devices, the least loaded first."""
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
