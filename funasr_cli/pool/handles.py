"""The children of a pool: what the parent knows of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from funasr_cli.executors.placement import Seat
from funasr_cli.models.store import Model
from funasr_cli.pool.shared_memory import Board, Slots, Whereabouts
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.process import Child

LANES = 2
"""Recordings that a worker has open at a time: lane 0 takes the longest left, lane 1 the shortest."""


@dataclass(eq=False, slots=True)
class Worker:
    """A worker process; its lanes are on the board from `row` on, `idle` ones have asked for a job in vain.

    `born`: it was able to begin. `seen` is its last sign of life, and `patience` lasts until it must give the next.
    """

    child: Child
    row: int
    born: bool = False
    idle: set[int] = field(default_factory=set)
    seen: float = 0.0
    patience: float = 0.0

    @classmethod
    def start(cls, row: int, slots: Slots, board: Board, model: Model, settings: Settings, node: int | None) -> Worker:
        """A new process on the NUMA `node`, if any; it has to be told a `Graph` first."""
        return cls(Child("forkserver", _work, slots, board, range(row, row + LANES), model, settings, node), row)

    def last_seen(self, board: Board) -> Whereabouts:
        """Where it is: where that of its lanes is which moved last."""
        return max((board.get(self.row + lane) for lane in range(LANES)), key=lambda where: where.seen)


@dataclass(eq=False, slots=True)
class Device:
    """A device process; the window that it runs was begun at `since`, by the pool's own clock.

    `born`: it has loaded the graph. `gives_up`: it cannot work, nor could another in its seat. `failures` in its seat,
    since the last run there that went well.
    """

    child: Child
    seat: Seat
    since: float
    born: bool = False
    gives_up: bool = False
    failures: int = 0

    @classmethod
    def start(cls, slots: Slots, model: Model, seat: Seat, now: float, failures: int = 0) -> Device:
        """A new process; it says `Loaded` when it is ready. Never a forked one: an NPU's driver would not bear it.

        After failures it runs strictly one window after another.
        """
        return cls(Child("spawn", _serve, slots, model, seat, failures > 0), seat, now, failures=failures)


# Imported in the children: what they need is nothing that the parent needs.


def _work(*arguments: object) -> None:
    from funasr_cli.pool.worker import work

    work(*arguments)  # type: ignore[arg-type]


def _serve(*arguments: object) -> None:
    from funasr_cli.pool.device_server import serve_device

    serve_device(*arguments)  # type: ignore[arg-type]
