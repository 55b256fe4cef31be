"""The measurement: candidates take turns in their own processes, for about a minute in all."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.callbacks import Tell
from funasr_cli.doctor.speed.candidates import Candidate, groups, layouts, models_by_precision, pool_size
from funasr_cli.doctor.speed.process import Loaded, MeasuringProcess, Round, run_windows
from funasr_cli.doctor.speed.sound import FrontEnd, measure_front_end
from funasr_cli.errors import FunasrError, MachineError
from funasr_cli.executors.ascend.topology import choose_nodes
from funasr_cli.models.store import Model
from funasr_cli.pool.sizing import cpu_placement
from funasr_cli.system.resources import usable_cores, usable_memory

logger = logging.getLogger(__name__)

BUDGET_S = 60.0
"""Seconds for the whole measurement, if the machine is fast enough for one round of each candidate in this time."""

LATE_S = 60.0
"""Seconds after `BUDGET_S` from which only the default layout is still started, in each precision."""

TIME_IS_UP = "the model is slow here, and time ran out"

ROUNDS = 3
"""The candidates take turns in this many rounds, so that other load on the machine affects all; the median counts."""

MAX_ROUND_S = 3.0
"""Maximum seconds of a round; longer rounds of a fast model would not be more accurate."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The result for a candidate: its layout, and its speed with all cores. `error`: why it has no speed.

    `device` is the executor's description of itself. `peak_memory` is in bytes, of all processes together.
    """

    precision: str
    runs: int
    threads: int
    processes: int
    device: str = ""
    times_real_time: float = 0.0
    cpu_seconds_per_hour: float = 0.0
    peak_memory: int = 0
    error: str = ""

    @property
    def busy_cores(self) -> float:
        """The number of cores that its runs keep busy."""
        return self.times_real_time * self.cpu_seconds_per_hour / 3600


@dataclass(frozen=True, slots=True)
class Speed:
    """All results for a model; the first of `candidates` is what a run does by default.

    `front_end` is in CPU seconds per second of audio. `nodes` is the number of NUMA nodes, which should have a process
    each. `recording` is the recording that was used, None: synthetic speech-like sound; `window` is the length of its
    windows in seconds. `load` is the average number of runnable threads on the machine in the minute before.
    """

    model: Model
    recording: Path | None
    window: float
    cores: int
    nodes: int
    workers: int
    front_end: float
    load: float
    candidates: tuple[Measured, ...]


def measure_speed(name: str | None, recording: Path | None, tell: Tell) -> Speed:
    """Measure the model called `name`, or the default model, on all cores that this process may use.

    `tell` receives progress messages. Raises `ModelError` if there is no such model, `InputError` if the recording
    cannot be used, and `MachineError` if no candidate could be measured.
    """
    deadline = time.monotonic() + BUDGET_S
    load = os.getloadavg()[0]
    models = models_by_precision(name)
    recording = recording and recording.absolute()  # the processes run in another folder
    tell(f"the front end, with {models[0].name}")
    with MeasuringProcess(measure_front_end, models[0], cpu_placement(usable_cores(), 1), recording) as process:
        front: FrontEnd = process.receive()
    by_precision = [layouts(model) for model in models]
    own = [candidates[0] for candidates in by_precision]
    candidates = own + [candidate for each in by_precision for candidate in each[1:]]
    measured: list[Measured] = []
    for group in groups(candidates, usable_memory().available):
        share = (deadline - time.monotonic()) * len(group) / (len(candidates) - len(measured))
        turns = [_Turns(candidate, may_be_left_out=candidate not in own) for candidate in group]
        measured += _measure_together(turns, front, share, deadline + LATE_S, tell)
    if all(it.error for it in measured):
        raise MachineError(f"nothing could be measured: {measured[0].error}")
    nodes = choose_nodes("auto", ())
    return Speed(
        models[0],
        recording,
        max(len(it) for it in front.sounds) / SAMPLE_RATE,
        usable_cores(),
        len(nodes),
        pool_size(models[0], nodes).workers,
        front.cost,
        load,
        tuple(measured),
    )


def _measure_together(
    turns: Sequence[_Turns], front: FrontEnd, seconds: float, late: float, tell: Tell
) -> list[Measured]:
    """Load all candidates and let them take turns for about `seconds`; `late` is a time of `time.monotonic`."""
    deadline = time.monotonic() + seconds
    with ExitStack() as opened:
        for round_ in range(ROUNDS):
            for place, turn in enumerate(turns):
                if not round_:
                    tell(f"loading {turn.candidate}")
                    turn.load(front, opened, late)
                left = deadline - time.monotonic()
                if round_ and left <= 0:
                    break
                turn.take(min(left / ((ROUNDS - round_) * len(turns) - place), MAX_ROUND_S))
                tell(f"round {round_ + 1} of {ROUNDS}: {turn}")
        return [turn.measured() for turn in turns]


class _Turns:
    """A candidate with its processes and its rounds so far."""

    def __init__(self, candidate: Candidate, *, may_be_left_out: bool) -> None:
        self.candidate = candidate
        self._may_be_left_out = may_be_left_out
        self._processes: list[MeasuringProcess] = []
        self._rounds: list[Round] = []
        self._device = self._error = ""
        self._window = 0.0

    def load(self, front: FrontEnd, opened: ExitStack, late: float) -> None:
        """Start its processes within `opened`, unless it is optional and it is too `late`."""
        if self._may_be_left_out and time.monotonic() > late:
            self._error = TIME_IS_UP
            return
        it = self.candidate
        try:
            for placement in it.placements:
                process = MeasuringProcess(run_windows, it.model, placement, front.sounds, front.language)
                self._processes.append(opened.enter_context(process))
            loaded: list[Loaded] = [process.receive() for process in self._processes]
        except FunasrError as error:
            self._error = error.what
            return
        self._device = loaded[0].device
        self._window = max(answer.seconds for answer in loaded)

    def take(self, seconds: float) -> None:
        """Run one round of about `seconds`, unless the candidate has failed before."""
        if self._error:
            return
        try:
            for process, placement in zip(self._processes, self.candidate.placements, strict=True):
                batches = max(1, int(seconds / (self._window * placement.batch)))
                process.send(batches * placement.windows)
            self._rounds.append(Round.together([process.receive() for process in self._processes]))
        except FunasrError as error:
            self._error = error.what
        else:
            logger.debug("%s: %s", self.candidate, self._rounds[-1])

    def measured(self) -> Measured:
        """The result: the median of the rounds."""
        it, rounds = self.candidate, self._rounds
        layout = (it.model.precision, it.runs, it.threads, len(it.placements), self._device)
        if self._error:
            return Measured(*layout, error=self._error)
        return Measured(
            *layout,
            times_real_time=median(it.audio / it.wall for it in rounds),
            cpu_seconds_per_hour=median(3600 * it.cpu / it.audio for it in rounds),
            peak_memory=max(it.peak_memory for it in rounds),
        )

    def __str__(self) -> str:
        if self._error:
            return f"{self.candidate}: {self._error}"
        return f"{self.candidate}: {self._rounds[-1].audio / self._rounds[-1].wall:.1f} × real time"
