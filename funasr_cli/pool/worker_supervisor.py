"""Supervisor of the worker processes: starts them, gives them jobs, and replaces those that die or hang."""

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
"""Seconds without progress after which a worker that is not waiting for anything counts as hung."""


class WorkerSupervisor:
    """Owns the worker processes; the coordinator receives their messages."""

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
        """`watch` is called with each new process, to listen to it."""
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
        """Start all workers."""
        for number in range(self._size.workers):
            self._start(number * LANES_PER_WORKER)

    def set_graph(self, graph: GraphInfo) -> None:
        """Send the graph to all workers, present and future, so that they can begin."""
        self._graph = graph
        for worker in self.processes:
            worker.child.send(graph)

    def offer(self, next_job: Callable[[WorkerHandle, int], JobAssigned | None]) -> None:
        """Give jobs to idle lanes."""
        for lane in range(LANES_PER_WORKER):
            for worker in self.processes:
                if lane in worker.idle and (job := next_job(worker, lane)):
                    worker.idle.remove(lane)
                    worker.child.send(job)

    def replace(self, worker: WorkerHandle) -> None:
        """Start a new process in place of a dead one."""
        self.processes.remove(worker)
        self._start(worker.row)

    def last_seen(self, worker: WorkerHandle) -> LaneProgress:
        """The last position that a worker reported."""
        return worker.last_seen(self._board)

    def progress(self) -> list[LaneProgress]:
        """The positions of all lanes."""
        return [self._board.get(row) for row in range(self._size.workers * LANES_PER_WORKER)]

    def find_hung(self, is_working: Callable[[WorkerHandle], bool]) -> list[tuple[WorkerHandle, str]]:
        """The hung processes, each with the reason; `is_working` says whether a worker should be making progress."""
        found = []
        for worker in self.processes:
            seen = self.last_seen(worker).seen
            starts = self._graph is not None and not worker.ready
            if seen != worker.seen or not (starts or is_working(worker)):
                worker.seen, worker.due = seen, self._clock.now + WORKER_STALL_TIMEOUT_S
            elif self._clock.now > worker.due:
                found.append((worker, f"no progress for {WORKER_STALL_TIMEOUT_S:.0f} s"))
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
