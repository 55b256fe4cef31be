"""Supervisor of the device processes: replaces those that die or hang, and disables devices that cannot work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from funasr_cli.errors import DeviceError, DeviceLost, FunasrError, InputError
from funasr_cli.executors.ascend.acl import FIX
from funasr_cli.executors.failover import CPU_TAKES_OVER
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pool.crash_policy import CrashPolicy
from funasr_cli.pool.dispatcher import Dispatcher
from funasr_cli.pool.process_handles import DeviceHandle, WorkerHandle
from funasr_cli.pool.protocol import (
    DeviceNotice,
    DeviceReady,
    DeviceUnusable,
    FromDevice,
    WindowDone,
    WindowFailed,
)
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.system.clock import ActiveClock
from funasr_cli.system.process import ChildFailed, Death, RemoteTraceback

logger = logging.getLogger(__name__)

DEVICE_START_TIMEOUT_S = 600.0
"""Seconds that a device process may take to load its graph."""

MAX_DEVICE_FAILURES = 6
"""Consecutive failures after which an NPU is disabled, before it costs all recordings: two failures cost one."""


class DeviceSupervisor:
    """Owns the device processes; the coordinator receives their messages and passes them on."""

    def __init__(
        self,
        slots: Slots,
        model: Model,
        dispatcher: Dispatcher[WorkerHandle, DeviceHandle],
        reporter: Reporter,
        watch: Callable[[DeviceHandle], None],
        clock: ActiveClock,
        *,
        window_timeout: float,
    ) -> None:
        """`watch` is called with each new process, to listen to it.

        A process that takes longer than `window_timeout` seconds of `clock` for a window counts as hung. Windows that
        run side by side share its time, so they may take correspondingly longer.
        """
        self.processes: set[DeviceHandle] = set()
        self.first_ready: DeviceReady | None = None
        """The message of the first process that was ready."""
        self._slots = slots
        self._model = model
        self._dispatcher = dispatcher
        self._reporter = reporter
        self._watch = watch
        self._clock = clock
        self._window_timeout = window_timeout
        self._crashes: CrashPolicy[int] = CrashPolicy()  # by the slot of a window

    @property
    def runs(self) -> int:
        """The number of windows that run at a time in all working processes."""
        return sum(device.placement.runs for device in self.processes if not device.disabled)

    def start(self, placement: Placement, failures: int = 0) -> None:
        """Start a process; `failures` are those of its predecessors since the last successful run."""
        device = DeviceHandle.start(self._slots, self._model, placement, self._clock.now, failures)
        logger.debug("device process started on %s", placement.name)
        self.processes.add(device)
        self._watch(device)

    def new_window(self, slot: int) -> None:
        """Forget crashes over the previous window in this slot."""
        self._crashes.forget(slot)

    def handle(self, device: DeviceHandle, message: FromDevice) -> None:
        """Handle a message of a process. Raises the error that makes the last device unusable."""
        match message:
            case WindowDone():
                device.failures = 0
                self._reporter.stats.busy += message.seconds
                self._dispatcher.complete(device, message)
            case WindowFailed(_, error):
                self._dispatcher.complete(device, message)
                if isinstance(error, DeviceLost) and not device.disabled:
                    device.failures += 2  # it was run twice
                    if self._gives_up(device, error.what):
                        device.child.kill()
            case DeviceNotice(text):
                device.since = self._clock.now
                self._dispatcher.grant_time(device)
                self._reporter.display.warn(text)
            case DeviceReady():
                self.first_ready = self.first_ready or message
                self._dispatcher.add_device(device, device.placement.windows)
            case DeviceUnusable(error, trace) | ChildFailed(error, trace):
                self._disable(device, RemoteTraceback.attached(error, trace))

    def replace(self, device: DeviceHandle, death: Death) -> None:
        """Replace a dead process; its windows are run next.

        If it ran several windows, none is to blame until a process has died over it alone, or unless it was the one
        that hung. Raises the error that makes the last device unusable.
        """
        blamed = self._overdue(device) or list(self._dispatcher.running(device))
        verdict = None
        if len(blamed) == 1 and self._crashes.should_give_up(blamed[0], 0.0, own_fault=death.own_fault):
            verdict = WindowFailed(blamed[0], InputError(f"one of its windows crashes device processes: {death.how}"))
        self.processes.remove(device)
        self._dispatcher.remove_device(device, verdict)
        device.failures += death.own_fault if device.ready else 2
        if not device.disabled and not self._gives_up(device, death.how):
            what = f"the process of {device.placement.name} was lost ({death.how})"
            self._reporter.display.warn(f"{what}; its windows are run again in a new process")
            self.start(device.placement, device.failures)

    def find_hung(self) -> list[tuple[DeviceHandle, str]]:
        """The hung processes, each with the reason."""
        found = []
        for device in self.processes:
            if not device.ready and self._clock.now - device.since > DEVICE_START_TIMEOUT_S:
                found.append((device, f"not ready within {DEVICE_START_TIMEOUT_S:.0f} s"))
            elif self._overdue(device):
                found.append((device, f"no answer within --window-timeout, {self._window_timeout:.0f} s"))
        return found

    def _overdue(self, device: DeviceHandle) -> list[int]:
        """The slots of windows that have taken too long. A device that was reset gets more time."""
        return [slot for slot, had in self._dispatcher.running(device).items() if had > self._window_timeout]

    def _gives_up(self, device: DeviceHandle, how: str) -> bool:
        """Return whether the NPU has failed too often; if so, disable it, or replace it by the CPU if allowed."""
        placement = device.placement
        if placement.npu is None or device.failures < MAX_DEVICE_FAILURES:
            return False
        error = DeviceError(f"{placement.name} keeps failing: {how}", hint=FIX)
        if placement.fallback:
            device.disabled = True
            self._reporter.display.warn(f"{error.what}; {CPU_TAKES_OVER}")
            self.start(replace(placement, npu=None, fallback=False))
        else:
            self._disable(device, error)
        return True

    def _disable(self, device: DeviceHandle, error: FunasrError) -> None:
        """Stop using a device. Raises the error if no other is left."""
        device.disabled = True
        if all(other.disabled for other in self.processes):
            raise error
        self._reporter.display.warn(f"{device.placement.name} is not used: {error}")
        self._reporter.stats.devices -= device.placement.runs
