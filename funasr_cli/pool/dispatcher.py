"""The star's middle: who has which slot, which windows wait, and which device runs them.

Everything goes through the parent, and nothing is locked: each child has a pipe of its own to it, so a child that dies
takes no lock and no message of another with it. A device's answer comes over the pipe of the process that was given
the slot, and the pipe of a dead process is closed; so no late answer is ever taken for that of a later use.

Slots are given out in the order in which they were asked for, one at a time to each worker, so that a worker with a
ten-hour recording gets no more of them than one with five seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from funasr_cli.pool.protocol import RunWindow, SlotGranted, WindowDone, WindowFailed

WorkerT = TypeVar("WorkerT", bound=Hashable)
DeviceT = TypeVar("DeviceT", bound=Hashable)

WINDOWS_PER_DEVICE = 3
"""Windows that a device process has at a time: the one it runs, and two more, so that it waits for nobody."""


class Dispatcher(Generic[WorkerT, DeviceT]):
    """Keeps account of slots; it speaks to workers and devices through `to_worker` and `to_device`."""

    def __init__(
        self,
        slots: int,
        to_worker: Callable[[WorkerT, SlotGranted | WindowDone | WindowFailed], None],
        to_device: Callable[[DeviceT, RunWindow], None],
    ) -> None:
        self._to_worker = to_worker
        self._to_device = to_device
        self._free = list(range(slots))
        self._wanting: deque[WorkerT] = deque()
        self._owners: dict[int, WorkerT | None] = {}  # of slots in use; None: the owner is gone, a device still has it
        self._ready: deque[int] = deque()  # to be run, in this order
        self._devices: dict[DeviceT, deque[int]] = {}  # what each has, the one under way first

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
        """The device has run the window that it had first."""
        slot = self._devices[device].popleft()
        assert slot == answer.slot
        self._answer(answer)
        self._dispatch()

    def add_device(self, device: DeviceT) -> None:
        """The device can take windows."""
        self._devices[device] = deque()
        self._dispatch()

    def running(self, device: DeviceT) -> int | None:
        """The slot that the device is running."""
        slots = self._devices.get(device)
        return slots[0] if slots else None

    def remove_device(self, device: DeviceT, verdict: WindowFailed | None = None) -> None:
        """The device is gone: its windows are the next to be run, but for the one that gets a `verdict` instead."""
        slots = self._devices.pop(device, deque())
        for slot in reversed(slots):
            if self._owners[slot] is None:
                self._release(slot)
            elif verdict is not None and slot == verdict.slot:
                self._answer(verdict)
            else:
                self._ready.appendleft(slot)
        self._dispatch()

    def remove_worker(self, worker: WorkerT) -> None:
        """The worker is gone: its slots are free, but for those that a device still has."""
        self._wanting = deque(other for other in self._wanting if other != worker)
        at_devices = {slot for slots in self._devices.values() for slot in slots}
        for slot in [slot for slot, owner in self._owners.items() if owner == worker]:
            if slot in at_devices:
                self._owners[slot] = None
            else:
                if slot in self._ready:
                    self._ready.remove(slot)
                self._release(slot)

    def owes(self, worker: WorkerT) -> bool:
        """Whether the worker waits for a slot or for an answer."""
        pending = {*self._ready, *(slot for slots in self._devices.values() for slot in slots)}
        return worker in self._wanting or any(self._owners[slot] == worker for slot in pending)

    def _answer(self, answer: WindowDone | WindowFailed) -> None:
        owner = self._owners[answer.slot]
        if owner is None:
            self._release(answer.slot)
        else:
            self._to_worker(owner, answer)

    def _release(self, slot: int) -> None:
        del self._owners[slot]
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
            device = min(self._devices, key=lambda one: len(self._devices[one]))
            if len(self._devices[device]) >= WINDOWS_PER_DEVICE:
                return
            slot = self._ready.popleft()
            self._devices[device].append(slot)
            self._to_device(device, RunWindow(slot))
