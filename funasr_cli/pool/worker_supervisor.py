"""The worker processes of a run: started, given jobs, watched, replaced if they die or hang."""

from __future__ import annotations

import logging
from collections.abc import Callable

from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import GraphInfo
from funasr_cli.pipeline.window_runner import concurrent_windows
from funasr_cli.pool.process_handles import LANES_PER_WORKER, WorkerHandle
from funasr_cli.pool.protocol import JobAssigned
from funasr_cli.pool.shared_memory import LaneProgress, ProgressBoard, Slots
from funasr_cli.pool.sizing import PoolSize
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.clock import ActiveClock

logger = logging.getLogger(__name__)

WORKER_STALL_TIMEOUT_S = 600.0
"""After which a worker that is not waiting for anything, and does not come on in its recording, hangs."""


class WorkerSupervisor:
    """Knows the worker processes; the coordinator listens to them."""

    def __init__(
        self,
        size: PoolSize,
        slots: Slots,
        board: ProgressBoard,
        model: Model,
        settings: Settings,
        watch: Callable[[WorkerHandle], None],
        clock: ActiveClock,
    ) -> None:
        """`watch` is given each new process to listen to."""
        self.processes: set[WorkerHandle] = set()
        self._size = size
        self._slots = slots
        self._board = board
        self._model = model
        self._settings = settings
        self._watch = watch
        self._clock = clock
        self._graph: GraphInfo | None = None

    def start_all(self) -> None:
        """Start all of them."""
        for number in range(self._size.workers):
            self._start(number * LANES_PER_WORKER)

    def set_graph(self, graph: GraphInfo) -> None:
        """Have all, also those to come, begin with this graph."""
        self._graph = graph
        for worker in self.processes:
            worker.child.send(graph)

    def offer(self, next_job: Callable[[WorkerHandle, int], JobAssigned | None]) -> None:
        """Give jobs to the lanes that have none."""
        for lane in range(LANES_PER_WORKER):
            for worker in self.processes:
                if lane in worker.idle and (job := next_job(worker, lane)):
                    worker.idle.remove(lane)
                    worker.child.send(job)

    def replace(self, worker: WorkerHandle) -> None:
        """A process is gone: another takes its place."""
        self.processes.remove(worker)
        self._start(worker.row)

    def last_seen(self, worker: WorkerHandle) -> LaneProgress:
        """Where it was when it last said so."""
        return worker.last_seen(self._board)

    def progress(self) -> list[LaneProgress]:
        """Where all lanes are."""
        return [self._board.get(row) for row in range(self._size.workers * LANES_PER_WORKER)]

    def find_hung(self, is_working: Callable[[WorkerHandle], bool]) -> list[tuple[WorkerHandle, str]]:
        """The processes that hang, and how that shows; `is_working` tells whether it is a worker's turn."""
        found = []
        for worker in self.processes:
            seen = self.last_seen(worker).seen
            starts = self._graph is not None and not worker.ready
            if seen != worker.seen or not (starts or is_working(worker)):
                worker.seen, worker.due = seen, self._clock.now + WORKER_STALL_TIMEOUT_S
            elif self._clock.now > worker.due:
                found.append((worker, f"it came no further for {WORKER_STALL_TIMEOUT_S:.0f} s"))
        return found

    def _start(self, row: int) -> None:
        node = self._size.node_of(row // LANES_PER_WORKER)
        size = self._size
        windows = concurrent_windows(size.windows if size.workers == 1 else size.placements[0].windows)
        worker = WorkerHandle.start(row, self._slots, self._board, self._model, self._settings, node, windows)
        logger.debug("worker process started for rows from %d", row)
        worker.due = self._clock.now + WORKER_STALL_TIMEOUT_S
        if self._graph is not None:
            worker.child.send(self._graph)
        self.processes.add(worker)
        self._watch(worker)
