"""A run with workers and device processes: the parent's side.

Whatever dies costs at most itself. A worker that dies is replaced and its recordings are begun again; a device process
that dies or hangs is replaced and its windows are run again; what processes keep dying of fails, and the rest goes on.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from types import TracebackType

from funasr_cli.errors import MachineError
from funasr_cli.models.store import Model
from funasr_cli.pool.crash_policy import CrashPolicy
from funasr_cli.pool.dispatcher import WINDOWS_PER_DEVICE, Dispatcher
from funasr_cli.pool.handles import LANES_PER_WORKER, DeviceHandle, WorkerHandle
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
from funasr_cli.pool.shared_memory import ProgressBoard, Slots
from funasr_cli.pool.sizing import PoolSize
from funasr_cli.pool.supervisor import DeviceSupervisor
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.sinks import FileSink
from funasr_cli.store.writer import StoreWriter
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.process import JOIN_TIMEOUT_S, Death, out_of_memory_kills, preload
from funasr_cli.system.signals import Interrupted

TICK_S = 0.2
"""Seconds between two looks at signals, at hung processes and at how far the workers are."""

WORKER_STALL_TIMEOUT_S = 600.0
"""Seconds after which a worker that is not waiting for anything, and does not come on in its recording, hangs."""

LAST_WRITES_TIMEOUT_S = 10.0
"""Seconds that an interrupted run grants the workers for the outputs that they are just writing."""


class Coordinator:
    """Use it as a context manager: `load`, then `do`. No process outlives it."""

    def __init__(
        self,
        pool_size: PoolSize,
        record: OutputStore,
        model: Model,
        settings: Settings,
        reporter: Reporter,
        check_stop: Callable[[], None],
        *,
        window_timeout: float,
    ) -> None:
        """A device process that takes longer than `window_timeout` seconds for a window hangs."""
        self._pool_size = pool_size
        self._writer = StoreWriter(record)
        self._model = model
        self._settings = settings
        self._reporter = reporter
        self._check_stop = check_stop
        self._window_timeout = window_timeout
        self._scheduler: Scheduler[WorkerHandle] | None = None
        self._startup_crashes: CrashPolicy[str] = CrashPolicy()
        self._ooms = out_of_memory_kills()
        self._clock = 0.0  # stands still while this process is stopped, as all of them are by Ctrl-Z
        self._last_look = time.monotonic()

    def __enter__(self) -> Coordinator:
        words = ["pypinyin"] if self._settings.hotwords else []  # dictionaries, of which one in memory is enough
        preload("funasr_cli.pool.worker", f"funasr_cli.recognizers.{self._model.family}", "rjieba", *words)
        with ExitStack() as stack:
            count = len(self._pool_size.placements) * WINDOWS_PER_DEVICE + self._pool_size.workers * LANES_PER_WORKER
            self._slots = Slots(count)
            stack.callback(self._slots.close)
            self._board = ProgressBoard(self._pool_size.workers * LANES_PER_WORKER)
            stack.callback(self._board.close)
            self._selector = stack.enter_context(selectors.DefaultSelector())
            self._selector.register(stack.enter_context(self._writer), selectors.EVENT_READ, self._writer)
            self._supervisor = DeviceSupervisor(
                self._slots,
                self._model,
                self._reporter,
                lambda order: Dispatcher(count, lambda worker, message: worker.child.send(message), order),
                self._listen_to,
                lambda: self._clock,
                window_timeout=self._window_timeout,
            )
            self._dispatcher = self._supervisor.dispatcher
            self._workers: set[WorkerHandle] = set()
            stack.callback(self._end_children)
            for placement in self._pool_size.placements:
                self._supervisor.start(placement)
            for number in range(self._pool_size.workers):
                self._start_worker(number * LANES_PER_WORKER)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _end_children(self) -> None:
        for worker in self._workers:
            worker.child.kill()
        children = [
            *(device.child for device in self._supervisor.processes),
            *(worker.child for worker in self._workers),
        ]
        for child in children:
            child.pipe.close()
        until = time.monotonic() + JOIN_TIMEOUT_S
        for child in children:
            child.join(max(0.0, until - time.monotonic()))

    def load(self) -> DeviceReady:
        """Wait until a device is ready. Raises what keeps it from being so."""
        while self._supervisor.loaded is None:
            self._step()
        return self._supervisor.loaded

    def do(self, sinks: Sequence[FileSink], deadline: Deadline, max_files: int | None) -> None:
        """Do up to `max_files`, as long as `deadline` has not passed; the others are left for next time."""
        scheduler: Scheduler[WorkerHandle] = Scheduler(
            self._writer, self._reporter, deadline, lambda worker, message: worker.child.send(message)
        )
        self._scheduler = scheduler
        self._reporter.stats.devices = sum(not device.disabled for device in self._supervisor.processes)
        self._reporter.open(sinks)
        chosen = list(islice(sinks, max_files))
        scheduler.fill(chosen)
        try:
            self._offer()
            while not scheduler.through:
                self._step()
        except Interrupted:
            self._finish_writing(scheduler)
            raise
        finally:
            scheduler.drop()
            self._reporter.close(len(sinks) - len(chosen) + scheduler.left)

    def _step(self) -> None:
        """Listen to all children for a moment."""
        self._check_stop()
        self._listen()
        now = time.monotonic()
        if now - self._last_look < TICK_S:
            return
        self._clock += min(now - self._last_look, 2 * TICK_S)
        self._last_look = now
        self._end_hung()
        self._ooms = out_of_memory_kills()
        if self._scheduler is not None:
            self._scheduler.show(self._board.get(row) for row in range(self._pool_size.workers * LANES_PER_WORKER))

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
                self._dispatcher.want(worker)
            case RunWindow(slot):
                self._supervisor.new_window(slot)
                self._dispatcher.run(worker, slot)
            case SlotReleased(slot):
                self._dispatcher.give(worker, slot)
            case JobRequest(lane):
                self._bear(worker)
                worker.idle.add(lane)
                self._offer()
            case OutputsReady():
                self._at_work.rendered(message)
            case JobDone():
                self._at_work.written(message)
            case JobFailed():
                self._at_work.failed(message)

    def _from_device(self, device: DeviceHandle, message: FromDevice) -> None:
        first = self._supervisor.loaded is None
        if isinstance(message, DeviceReady):
            self._bear(device)
        self._supervisor.heard(device, message)
        if first and self._supervisor.loaded is not None:
            for worker in self._workers:
                worker.child.send(self._supervisor.loaded.graph)

    def _bear(self, one: WorkerHandle | DeviceHandle) -> None:
        if not one.ready:
            one.ready = True
            self._startup_crashes.forget(type(one).__name__)

    @property
    def _at_work(self) -> Scheduler[WorkerHandle]:
        assert self._scheduler is not None
        return self._scheduler

    def _offer(self) -> None:
        """Give jobs to the lanes that have none."""
        if self._scheduler is None:
            return
        for lane in range(LANES_PER_WORKER):
            for worker in self._workers:
                if lane in worker.idle and (job := self._scheduler.next(worker, lane)):
                    worker.idle.remove(lane)
                    worker.child.send(job)

    def _start_worker(self, row: int) -> None:
        node = self._pool_size.node_of(row // LANES_PER_WORKER)
        worker = WorkerHandle.start(row, self._slots, self._board, self._model, self._settings, node)
        worker.patience = self._clock + WORKER_STALL_TIMEOUT_S
        if self._supervisor.loaded is not None:
            worker.child.send(self._supervisor.loaded.graph)
        self._workers.add(worker)
        self._listen_to(worker)

    def _listen_to(self, one: WorkerHandle | DeviceHandle) -> None:
        self._selector.register(one.child.pipe, selectors.EVENT_READ, one)

    def _lost(self, one: WorkerHandle | DeviceHandle, hung: str | None = None) -> None:
        """A child is gone, or was ended because it was `hung`."""
        self._selector.unregister(one.child.pipe)
        code = one.child.join()
        death = (
            Death(hung, own_fault=True) if hung else Death.of(code, memory_ran_out=out_of_memory_kills() > self._ooms)
        )
        npu = isinstance(one, DeviceHandle) and (
            one.disabled or one.placement.npu is not None
        )  # the fleet knows what to do
        if (
            not one.ready
            and not npu
            and self._startup_crashes.should_give_up(type(one).__name__, 0.0, own_fault=death.own_fault)
        ):
            hint = "Is there too little memory? --workers 1"
            raise MachineError(f"processes die as they start: {death.how}", hint=hint)
        if isinstance(one, WorkerHandle):
            self._lost_worker(one, death)
        else:
            self._supervisor.lost(one, death)

    def _lost_worker(self, worker: WorkerHandle, death: Death) -> None:
        self._workers.remove(worker)
        self._dispatcher.remove_worker(worker)
        if self._scheduler is not None:
            self._scheduler.lost(worker, worker.last_seen(self._board), death.how, own_fault=death.own_fault)
        self._start_worker(worker.row)
        self._offer()

    def _end_hung(self) -> None:
        for device, how in self._supervisor.hung():
            device.child.kill()
            self._lost(device, how)
        for worker in list(self._workers):
            seen = worker.last_seen(self._board).seen
            at_work = (
                self._scheduler is not None and self._scheduler.expects(worker) and not self._dispatcher.owes(worker)
            )
            starts = self._supervisor.loaded is not None and not worker.ready
            if seen != worker.seen or not (at_work or starts):
                worker.seen, worker.patience = seen, self._clock + WORKER_STALL_TIMEOUT_S
            elif self._clock > worker.patience:
                worker.child.kill()
                self._lost(worker, f"it came no further for {WORKER_STALL_TIMEOUT_S:.0f} s")

    def _finish_writing(self, scheduler: Scheduler[WorkerHandle]) -> None:
        """Outputs that are just being written are worth waiting for."""
        scheduler.stop()
        until = time.monotonic() + LAST_WRITES_TIMEOUT_S
        while scheduler.writing and time.monotonic() < until:
            self._listen()
