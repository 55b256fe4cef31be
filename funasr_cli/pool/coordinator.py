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
from funasr_cli.pool.crash_policy import Strikes
from funasr_cli.pool.dispatcher import AHEAD, Exchange
from funasr_cli.pool.handles import LANES, Device, Worker
from funasr_cli.pool.protocol import Failed, FromDevice, FromWorker, Give, Idle, Loaded, Rendered, Run, Want, Written
from funasr_cli.pool.scheduler import Desk
from funasr_cli.pool.shared_memory import Board, Slots
from funasr_cli.pool.sizing import Crew
from funasr_cli.pool.supervisor import Fleet
from funasr_cli.reporting.reporter import Ledger
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.output_store import Record
from funasr_cli.store.sinks import FileDelivery
from funasr_cli.store.writer import Clerk
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.process import SECONDS_TO_DIE, Death, out_of_memory_kills, preload
from funasr_cli.system.signals import Interrupted

TICK = 0.2
"""Seconds between two looks at signals, at hung processes and at how far the workers are."""

STALLED = 600.0
"""Seconds after which a worker that is not waiting for anything, and does not come on in its recording, hangs."""

LAST_WRITES = 10.0
"""Seconds that an interrupted run grants the workers for the outputs that they are just writing."""


class Pool:
    """Use it as a context manager: `load`, then `do`. No process outlives it."""

    def __init__(
        self,
        crew: Crew,
        record: Record,
        model: Model,
        settings: Settings,
        ledger: Ledger,
        check_stop: Callable[[], None],
        *,
        window_timeout: float,
    ) -> None:
        """A device process that takes longer than `window_timeout` seconds for a window hangs."""
        self._crew = crew
        self._clerk = Clerk(record)
        self._model = model
        self._settings = settings
        self._ledger = ledger
        self._check_stop = check_stop
        self._window_timeout = window_timeout
        self._desk: Desk[Worker] | None = None
        self._stillborn: Strikes[str] = Strikes()
        self._ooms = out_of_memory_kills()
        self._clock = 0.0  # stands still while this process is stopped, as all of them are by Ctrl-Z
        self._last_look = time.monotonic()

    def __enter__(self) -> Pool:
        words = ["pypinyin"] if self._settings.hotwords else []  # dictionaries, of which one in memory is enough
        preload("funasr_cli.pool.worker", f"funasr_cli.recognizers.{self._model.family}", "rjieba", *words)
        with ExitStack() as stack:
            count = len(self._crew.seats) * AHEAD + self._crew.workers * LANES
            self._slots = Slots(count)
            stack.callback(self._slots.close)
            self._board = Board(self._crew.workers * LANES)
            stack.callback(self._board.close)
            self._selector = stack.enter_context(selectors.DefaultSelector())
            self._selector.register(stack.enter_context(self._clerk), selectors.EVENT_READ, self._clerk)
            self._fleet = Fleet(
                self._slots,
                self._model,
                self._ledger,
                lambda order: Exchange(count, lambda worker, message: worker.child.say(message), order),
                self._listen_to,
                lambda: self._clock,
                window_timeout=self._window_timeout,
            )
            self._exchange = self._fleet.exchange
            self._workers: set[Worker] = set()
            stack.callback(self._end_children)
            for seat in self._crew.seats:
                self._fleet.start(seat)
            for number in range(self._crew.workers):
                self._start_worker(number * LANES)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _end_children(self) -> None:
        for worker in self._workers:
            worker.child.kill()
        children = [*(device.child for device in self._fleet.processes), *(worker.child for worker in self._workers)]
        for child in children:
            child.pipe.close()
        until = time.monotonic() + SECONDS_TO_DIE
        for child in children:
            child.bury(max(0.0, until - time.monotonic()))

    def load(self) -> Loaded:
        """Wait until a device is ready. Raises what keeps it from being so."""
        while self._fleet.loaded is None:
            self._step()
        return self._fleet.loaded

    def do(self, deliveries: Sequence[FileDelivery], deadline: Deadline, max_files: int | None) -> None:
        """Do up to `max_files`, as long as `deadline` has not passed; the others are left for next time."""
        desk: Desk[Worker] = Desk(
            self._clerk, self._ledger, deadline, lambda worker, message: worker.child.say(message)
        )
        self._desk = desk
        self._ledger.tally.devices = sum(not device.gives_up for device in self._fleet.processes)
        self._ledger.open(deliveries)
        chosen = list(islice(deliveries, max_files))
        desk.fill(chosen)
        try:
            self._offer()
            while not desk.through:
                self._step()
        except Interrupted:
            self._finish_writing(desk)
            raise
        finally:
            desk.drop()
            self._ledger.close(len(deliveries) - len(chosen) + desk.left)

    def _step(self) -> None:
        """Listen to all children for a moment."""
        self._check_stop()
        self._listen()
        now = time.monotonic()
        if now - self._last_look < TICK:
            return
        self._clock += min(now - self._last_look, 2 * TICK)
        self._last_look = now
        self._end_hung()
        self._ooms = out_of_memory_kills()
        if self._desk is not None:
            self._desk.show(self._board.get(row) for row in range(self._crew.workers * LANES))

    def _listen(self) -> None:
        for key, _ in self._selector.select(TICK):
            one: Worker | Device | Clerk = key.data
            if isinstance(one, Clerk):
                one.answer()
                continue
            messages, gone = [], False
            try:
                while one.child.pipe.poll():
                    messages.append(one.child.pipe.recv())
            except (EOFError, OSError):
                gone = True
            for message in messages:
                if isinstance(one, Worker):
                    self._from_worker(one, message)
                else:
                    self._from_device(one, message)
            if gone:
                self._lost(one)

    def _from_worker(self, worker: Worker, message: FromWorker) -> None:
        match message:
            case Want():
                self._exchange.want(worker)
            case Run(slot):
                self._fleet.new_window(slot)
                self._exchange.run(worker, slot)
            case Give(slot):
                self._exchange.give(worker, slot)
            case Idle(lane):
                self._bear(worker)
                worker.idle.add(lane)
                self._offer()
            case Rendered():
                self._at_work.rendered(message)
            case Written():
                self._at_work.written(message)
            case Failed():
                self._at_work.failed(message)

    def _from_device(self, device: Device, message: FromDevice) -> None:
        first = self._fleet.loaded is None
        if isinstance(message, Loaded):
            self._bear(device)
        self._fleet.heard(device, message)
        if first and self._fleet.loaded is not None:
            for worker in self._workers:
                worker.child.say(self._fleet.loaded.graph)

    def _bear(self, one: Worker | Device) -> None:
        if not one.born:
            one.born = True
            self._stillborn.forget(type(one).__name__)

    @property
    def _at_work(self) -> Desk[Worker]:
        assert self._desk is not None
        return self._desk

    def _offer(self) -> None:
        """Give jobs to the lanes that have none."""
        if self._desk is None:
            return
        for lane in range(LANES):
            for worker in self._workers:
                if lane in worker.idle and (job := self._desk.next(worker, lane)):
                    worker.idle.remove(lane)
                    worker.child.say(job)

    def _start_worker(self, row: int) -> None:
        node = self._crew.node_of(row // LANES)
        worker = Worker.start(row, self._slots, self._board, self._model, self._settings, node)
        worker.patience = self._clock + STALLED
        if self._fleet.loaded is not None:
            worker.child.say(self._fleet.loaded.graph)
        self._workers.add(worker)
        self._listen_to(worker)

    def _listen_to(self, one: Worker | Device) -> None:
        self._selector.register(one.child.pipe, selectors.EVENT_READ, one)

    def _lost(self, one: Worker | Device, hung: str | None = None) -> None:
        """A child is gone, or was ended because it was `hung`."""
        self._selector.unregister(one.child.pipe)
        code = one.child.bury()
        death = (
            Death(hung, at_fault=True) if hung else Death.of(code, memory_ran_out=out_of_memory_kills() > self._ooms)
        )
        npu = isinstance(one, Device) and (one.gives_up or one.seat.npu is not None)  # the fleet knows what to do
        if not one.born and not npu and self._stillborn.out(type(one).__name__, 0.0, at_fault=death.at_fault):
            hint = "Is there too little memory? --workers 1"
            raise MachineError(f"processes die as they start: {death.how}", hint=hint)
        if isinstance(one, Worker):
            self._lost_worker(one, death)
        else:
            self._fleet.lost(one, death)

    def _lost_worker(self, worker: Worker, death: Death) -> None:
        self._workers.remove(worker)
        self._exchange.remove_worker(worker)
        if self._desk is not None:
            self._desk.lost(worker, worker.last_seen(self._board), death.how, at_fault=death.at_fault)
        self._start_worker(worker.row)
        self._offer()

    def _end_hung(self) -> None:
        for device, how in self._fleet.hung():
            device.child.kill()
            self._lost(device, how)
        for worker in list(self._workers):
            seen = worker.last_seen(self._board).seen
            at_work = self._desk is not None and self._desk.expects(worker) and not self._exchange.owes(worker)
            starts = self._fleet.loaded is not None and not worker.born
            if seen != worker.seen or not (at_work or starts):
                worker.seen, worker.patience = seen, self._clock + STALLED
            elif self._clock > worker.patience:
                worker.child.kill()
                self._lost(worker, f"it came no further for {STALLED:.0f} s")

    def _finish_writing(self, desk: Desk[Worker]) -> None:
        """Outputs that are just being written are worth waiting for."""
        desk.stop()
        until = time.monotonic() + LAST_WRITES
        while desk.writing and time.monotonic() < until:
            self._listen()
