"""Handles of the pool's child processes: what the coordinator knows about each."""

from __future__ import annotations

from dataclasses import dataclass, field

from funasr_cli.errors import FunasrError
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pool.shared_memory import LaneProgress, ProgressBoard, Slots
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.process import ChildProcess

LANES_PER_WORKER = 2
"""Recordings that a worker has open at a time: lane 0 gets the largest file left, lane 1 the smallest."""


@dataclass(eq=False, slots=True)
class WorkerHandle:
    """A worker process. Its lanes have rows on the board from `row` on; `idle` lanes wait for a job.

    `ready` means that it started successfully; `error` is why it cannot continue. `seen` is the time of its last sign
    of life, and `due` the latest time for the next, in seconds of the pool's clock.
    """

    child: ChildProcess
    row: int
    ready: bool = False
    error: FunasrError | None = None
    idle: set[int] = field(default_factory=set)
    seen: float = 0.0
    due: float = 0.0

    @classmethod
    def start(
        cls,
        row: int,
        slots: Slots,
        board: ProgressBoard,
        model: Model,
        settings: Settings,
        node: int | None,
        windows: int,
    ) -> WorkerHandle:
        """Start a process on the NUMA `node`, if any; the first message to it must be a `GraphInfo`.

        It has up to `windows` of each recording in progress.
        """
        rows = range(row, row + LANES_PER_WORKER)
        return cls(ChildProcess("forkserver", _work, slots, board, rows, model, settings, node, windows), row)

    def last_seen(self, board: ProgressBoard) -> LaneProgress:
        """The position of the lane that moved last."""
        return max((board.get(self.row + lane) for lane in range(LANES_PER_WORKER)), key=lambda where: where.seen)


@dataclass(eq=False, slots=True)
class DeviceHandle:
    """A device process. `since` is when it started or last sent a notice, in seconds of the pool's clock.

    `ready` means that it has loaded the graph; `disabled`, that neither it nor a replacement can work. `failures` are
    those of the process and its predecessors since the last successful run.
    """

    child: ChildProcess
    placement: Placement
    since: float
    ready: bool = False
    disabled: bool = False
    failures: int = 0

    @classmethod
    def start(cls, slots: Slots, model: Model, placement: Placement, now: float, failures: int = 0) -> DeviceHandle:
        """Start a process, which sends `DeviceReady`. Never forked, because an NPU driver does not survive that."""
        child = ChildProcess("spawn", _serve, slots, model, placement)
        return cls(child, placement, now, failures=failures)


# Imported in the children, because the parent does not need these modules.


def _work(*arguments: object) -> None:
    from funasr_cli.pool.worker import run_worker

    run_worker(*arguments)  # type: ignore[arg-type]


def _serve(*arguments: object) -> None:
    from funasr_cli.pool.device_server import serve_device

    serve_device(*arguments)  # type: ignore[arg-type]
