"""The parent's side of a run with workers and device processes.

A crash costs at most the recording that caused it. A worker that dies is replaced and its recordings are started again;
a device process that dies or hangs is replaced and its windows are run again. A recording or window over which
processes keep dying fails, and the rest of the run continues.
"""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Callable, Sequence
from itertools import islice

from funasr_cli.errors import MachineError, Postponed
from funasr_cli.pool.crash_policy import CrashPolicy
from funasr_cli.pool.device_supervisor import DeviceSupervisor
from funasr_cli.pool.dispatcher import Dispatcher
from funasr_cli.pool.process_handles import DeviceHandle, WorkerHandle
from funasr_cli.pool.protocol import (
    DeviceReady,
    FromDevice,
    FromWorker,
    JobDone,
    JobFailed,
    JobRequest,
    OutputsReady,
    RunWindow,
    SlotReleased,
    SlotRequest,
)
from funasr_cli.pool.scheduler import Scheduler
from funasr_cli.pool.worker_supervisor import WorkerSupervisor
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.store.sinks import FileSink
from funasr_cli.store.writer import StoreWriter
from funasr_cli.system.clock import ActiveClock
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.process import JOIN_TIMEOUT_S, ChildFailed, Death, RemoteTraceback, out_of_memory_kills
from funasr_cli.system.refusals import more_memory
from funasr_cli.system.signals import Interrupted

logger = logging.getLogger(__name__)

TICK_S = 0.2
"""Seconds between two checks for signals, hung processes and the workers' progress."""

LAST_WRITES_TIMEOUT_S = 10.0
"""Seconds that an interrupted run gives the workers to finish the outputs they are writing."""


class Coordinator:
    """Receives the messages of all children and acts on them. Call `wait_until_ready`, then `run`."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        writer: StoreWriter,
        dispatcher: Dispatcher[WorkerHandle, DeviceHandle],
        devices: DeviceSupervisor,
        workers: WorkerSupervisor,
        reporter: Reporter,
        clock: ActiveClock,
        check_stop: Callable[[], None],
        *,
        debug: bool,
    ) -> None:
        """`selector` watches the writer and the pipes of all children. `check_stop` raises `Interrupted`."""
        self._selector = selector
        self._writer = writer
        self._dispatcher = dispatcher
        self._devices = devices
        self._workers = workers
        self._reporter = reporter
        self._clock = clock
        self._check_stop = check_stop
        self._debug = debug
        self._scheduler: Scheduler[WorkerHandle] | None = None
        self._startup_crashes: CrashPolicy[str] = CrashPolicy()
        self._oom_kills = out_of_memory_kills()

    def wait_until_ready(self) -> DeviceReady:
        """Wait until a device is ready. Raises the error that prevents it."""
        while self._devices.first_ready is None:
            self._step()
        return self._devices.first_ready

    def run(self, sinks: Sequence[FileSink], deadline: Deadline, max_files: int | None) -> None:
        """Transcribe up to `max_files` until `deadline` passes; the others are left for next time."""
        scheduler: Scheduler[WorkerHandle] = Scheduler(
            self._writer, self._reporter, deadline, lambda worker, message: worker.child.send(message)
        )
        self._scheduler = scheduler
        self._reporter.stats.devices = self._devices.runs
        self._reporter.open(sinks)
        chosen = list(islice(sinks, max_files))
        scheduler.submit(chosen)
        try:
            self._workers.offer(scheduler.next_job)
            while not scheduler.finished:
                self._step()
        except Interrupted:
            self._finish_writing(scheduler)
            raise
        finally:
            scheduler.abandon()
            self._reporter.close(len(sinks) - len(chosen) + scheduler.remaining)

    def end_children(self) -> None:
        """End all child processes."""
        for worker in self._workers.processes:
            worker.child.kill()
        handles: list[WorkerHandle | DeviceHandle] = [*self._devices.processes, *self._workers.processes]
        for handle in handles:
            handle.child.pipe.close()
        until = time.monotonic() + JOIN_TIMEOUT_S
        for handle in handles:
            handle.child.join(max(0.0, until - time.monotonic()))

    def _step(self) -> None:
        """Handle messages for a moment, and make the periodic checks if they are due."""
        self._check_stop()
        self._listen()
        if self._clock.advance():
            self._end_hung()
            self._oom_kills = out_of_memory_kills()
            if self._scheduler is not None:
                self._scheduler.report_progress(self._workers.progress())

    def _listen(self) -> None:
        for key, _ in self._selector.select(TICK_S):
            one: WorkerHandle | DeviceHandle | StoreWriter = key.data
            if isinstance(one, StoreWriter):
                one.answer()
                continue
            messages, gone = [], False
            try:
                while one.child.pipe.poll():
                    messages.append(one.child.pipe.recv())
            except (EOFError, OSError):
                gone = True
            for message in messages:
                if isinstance(one, WorkerHandle):
                    self._from_worker(one, message)
                else:
                    self._from_device(one, message)
            if gone:
                self._lost(one)

    def _from_worker(self, worker: WorkerHandle, message: FromWorker) -> None:
        match message:
            case SlotRequest():
                self._dispatcher.request_slot(worker)
            case RunWindow(slot):
                self._devices.new_window(slot)
                self._dispatcher.submit(worker, slot)
            case SlotReleased(slot):
                self._dispatcher.release(worker, slot)
            case JobRequest(lane):
                self._has_started(worker)
                worker.idle.add(lane)
                if self._scheduler is not None:
                    self._workers.offer(self._scheduler.next_job)
            case OutputsReady():
                self._running.outputs_ready(message)
            case JobDone():
                self._running.job_done(message)
            case JobFailed():
                if self._debug and not isinstance(message.error, Postponed):
                    raise RemoteTraceback.attached(message.error, message.trace)
                self._running.job_failed(message)
            case ChildFailed(error, trace):
                if self._debug:
                    raise RemoteTraceback.attached(error, trace)
                worker.error = error

    def _from_device(self, device: DeviceHandle, message: FromDevice) -> None:
        first = self._devices.first_ready is None
        if isinstance(message, DeviceReady):
            self._has_started(device)
        self._devices.handle(device, message)
        if first and self._devices.first_ready is not None:
            self._workers.set_graph(self._devices.first_ready.graph)

    def _has_started(self, one: WorkerHandle | DeviceHandle) -> None:
        if not one.ready:
            one.ready = True
            self._startup_crashes.forget(type(one).__name__)

    @property
    def _running(self) -> Scheduler[WorkerHandle]:
        assert self._scheduler is not None
        return self._scheduler

    def _lost(self, one: WorkerHandle | DeviceHandle, hung: str | None = None) -> None:
        """Handle the loss of a child that died, or was ended because it was `hung`."""
        self._selector.unregister(one.child.pipe)
        code = one.child.join()
        if hung is not None:
            death = Death(hung, own_fault=True)
        else:
            death = Death.of(code, memory_ran_out=out_of_memory_kills() > self._oom_kills)
        logger.debug("%s is gone: %s", type(one).__name__, death.how)
        if self._debug:
            raise MachineError(f"a process of the run died: {death.how}")
        self._check_start(one, death)
        if isinstance(one, WorkerHandle):
            self._lost_worker(one, death)
        else:
            self._devices.replace(one, death)

    def _check_start(self, one: WorkerHandle | DeviceHandle, death: Death) -> None:
        """Raise `MachineError` if processes keep dying at startup."""
        name, own_fault = type(one).__name__, death.own_fault
        npu = isinstance(one, DeviceHandle) and (one.disabled or one.placement.npu is not None)
        if one.ready or npu:  # the supervisor handles devices
            return
        if self._startup_crashes.should_give_up(name, 0.0, own_fault=own_fault):
            error = one.error if isinstance(one, WorkerHandle) else None
            if error is not None:
                raise MachineError(
                    f"a process of the run cannot start: {error.what}", where=error.where, hint=error.hint
                )
            hint = more_memory() if death.for_memory else "Set FUNASR_CLI_DEBUG=1 to see what they were doing."
            raise MachineError(f"processes die at startup: {death.how}", hint=hint)

    def _lost_worker(self, worker: WorkerHandle, death: Death) -> None:
        self._dispatcher.remove_worker(worker)
        if self._scheduler is not None:
            seen = self._workers.last_seen(worker)
            self._scheduler.worker_lost(worker, seen, death.how, own_fault=death.own_fault)
        self._workers.replace(worker)
        if self._scheduler is not None:
            self._workers.offer(self._scheduler.next_job)

    def _end_hung(self) -> None:
        hung: list[tuple[WorkerHandle | DeviceHandle, str]] = [
            *self._devices.find_hung(),
            *self._workers.find_hung(self._is_working),
        ]
        for one, how in hung:
            one.child.kill()
            self._lost(one, how)

    def _is_working(self, worker: WorkerHandle) -> bool:
        """Whether a worker has a job and is not waiting for this process."""
        scheduler = self._scheduler
        return scheduler is not None and scheduler.is_working(worker) and not self._dispatcher.owes(worker)

    def _finish_writing(self, scheduler: Scheduler[WorkerHandle]) -> None:
        """Wait for outputs that are being written."""
        scheduler.stop()
        until = time.monotonic() + LAST_WRITES_TIMEOUT_S
        while scheduler.is_writing and time.monotonic() < until:
            self._listen()
