"""The children of a pool: what the coordinator knows of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from funasr_cli.errors import FunasrError
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pool.shared_memory import LaneProgress, ProgressBoard, Slots
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.process import ChildProcess

LANES_PER_WORKER = 2
"""Recordings that a worker has open at a time: lane 0 takes the largest file left, lane 1 the smallest."""


@dataclass(eq=False, slots=True)
class WorkerHandle:
    """A worker process; its lanes are on the board from `row` on, `idle` ones have asked for a job in vain.

    `ready`: it was able to begin; `error` is why it cannot go on. `seen` is its last sign of life, and it has to give
    the next by `due`, in seconds of the pool's clock.
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
        """A new process on the NUMA `node`, if any; it has to be told a `GraphInfo` first.

        Of each recording it has up to `windows` under way.
        """
        rows = range(row, row + LANES_PER_WORKER)
        return cls(ChildProcess("forkserver", _work, slots, board, rows, model, settings, node, windows), row)

    def last_seen(self, board: ProgressBoard) -> LaneProgress:
        """Where it is: where that of its lanes is which moved last."""
        return max((board.get(self.row + lane) for lane in range(LANES_PER_WORKER)), key=lambda where: where.seen)


@dataclass(eq=False, slots=True)
class DeviceHandle:
    """A device process, started at `since` by the pool's clock; later, when it last said something but an answer.

    `ready`: it has loaded the graph. `disabled`: it cannot work, nor could another in its place. `failures` in its
    place, since the last run there that went well.
    """

    child: ChildProcess
    placement: Placement
    since: float
    ready: bool = False
    disabled: bool = False
    failures: int = 0

    @classmethod
    def start(cls, slots: Slots, model: Model, placement: Placement, now: float, failures: int = 0) -> DeviceHandle:
        """A new process; it says `DeviceReady` when it is. Never a forked one: an NPU's driver would not bear it."""
        child = ChildProcess("spawn", _serve, slots, model, placement)
        return cls(child, placement, now, failures=failures)


# Imported in the children: what they need is nothing that the parent needs.


def _work(*arguments: object) -> None:
    from funasr_cli.pool.worker import run_worker

    run_worker(*arguments)  # type: ignore[arg-type]


def _serve(*arguments: object) -> None:
    from funasr_cli.pool.device_server import serve_device

    serve_device(*arguments)  # type: ignore[arg-type]
