"""What the figures come to: the best layout, the speed of a whole run, what limits it, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from funasr_cli.doctor.machine import eight_bit_features
from funasr_cli.doctor.speed.measure import Measured, Speed

TIE = 1.03
"""A layout that is faster by less than this is not faster: rounds differ by as much."""

FAST_INT8 = 1.3
"""How many times as fast as float32 int8 is at least on a processor with fast 8-bit products."""

IDLE_SHARE = 0.75
"""Of the cores: if the runs keep fewer busy, that is worth saying."""

BUSY_SHARE = 0.25
"""Of the machine's cores: with so much other work, the figures are not the machine's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """For a whole run of many recordings, in the precision that it takes by itself.

    `limit` is `model`, `front end` or `memory`; `model_share` how much of the time is the model's, from 0 to 1.
    `config` holds settings that differ from what a run does by itself.
    """

    best: Measured
    times_real_time: float
    limit: str
    model_share: float
    config: dict[str, int]
    advice: tuple[str, ...]

    @property
    def hours_per_day(self) -> float:
        """Hours of speech in a day."""
        return 24 * self.times_real_time


def judge(speed: Speed) -> Verdict:
    """Speech takes its time in the model, in which all cores run, and takes their time from them in the front end."""
    own = speed.candidates[0]
    best = best_of(speed, own.precision) or next(it for it in speed.candidates if not it.error)
    shared_out = 1 / best.times_real_time + speed.front_end / speed.cores
    worked = speed.front_end / speed.workers
    limit = "memory" if own.processes < speed.nodes else "model"
    share = 1 / best.times_real_time / shared_out
    if worked > shared_out or share < 0.5:
        limit = "front end"
    config = {"cpu_runs": best.runs} if best.runs != own.runs and best.precision == own.precision else {}
    return Verdict(best, 1 / max(shared_out, worked), limit, share, config, tuple(_advice(speed, best)))


def best_of(speed: Speed, precision: str) -> Measured | None:
    """The fastest in a precision; of those that are as fast, the one with the fewest runs, which needs least memory."""
    measured = [it for it in speed.candidates if it.precision == precision and not it.error]
    fastest = max((it.times_real_time for it in measured), default=0.0)
    return min((it for it in measured if it.times_real_time * TIE >= fastest), key=lambda it: it.runs, default=None)


def _advice(speed: Speed, best: Measured) -> Iterator[str]:
    full, small = best_of(speed, "float32"), best_of(speed, "int8")
    if full and small:
        ratio = small.times_real_time / full.times_real_time
        if ratio >= TIE:
            gain = f"int8 is {ratio:.1f} × as fast as float32 here"
            yield f"{gain}, and makes more mistakes: {_options(speed, small)}"
        else:
            yield f"int8 is not faster than float32 here ({ratio:.2f} ×), and makes more mistakes"
        if ratio < FAST_INT8:
            yield f"int8 gains little; what makes 8-bit products fast, on this processor: {eight_bit_features()}"
    if speed.load > BUSY_SHARE * (os.cpu_count() or 1):
        alone = speed.cores / (best.cpu_seconds_per_hour / 3600 + speed.front_end)
        yield f"the machine has other work (load {speed.load:.1f}): measure again when it is quiet"
        yield f"by CPU time, a run that has all cores does {alone:.1f} × real time at most"
    elif best.busy_cores < IDLE_SHARE * speed.cores:
        yield f"the runs keep only {best.busy_cores:.1f} of {speed.cores} cores busy"
    if speed.candidates[0].processes < speed.nodes:
        needed = "there is not enough memory for one process on each"
        yield f"{speed.nodes} memory nodes, but {speed.candidates[0].processes} process: {needed}"
    if speed.model.family == "whisper" and speed.recording is None:
        yield "Whisper's time depends on what is said: measure a recording of your own, funasr-cli doctor --speed FILE"


def _options(speed: Speed, small: Measured) -> str:
    runs = f" --cpu-runs {small.runs}" if small.runs != speed.candidates[0].runs else ""
    return f"--precision int8{runs}"
