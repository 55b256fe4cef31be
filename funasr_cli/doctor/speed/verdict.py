"""Conclusions from the measurements: the best layout, the speed of a whole run, its limit, and advice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from funasr_cli.doctor.machine import eight_bit_features
from funasr_cli.doctor.speed.measure import Measured, Speed

TIE = 1.03
"""Layouts whose speeds differ by less than this factor count as equally fast: rounds vary by as much."""

FAST_INT8 = 1.3
"""Minimum speed of int8, relative to float32, on a processor with fast 8-bit products."""

IDLE_SHARE = 0.75
"""If the runs keep less than this share of the cores busy, it is reported."""

BUSY_SHARE = 0.25
"""If other work uses more than this share of the machine's cores, the figures do not represent the machine."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Conclusions for a whole run of many recordings, in its default precision.

    `limit` is `model`, `front end` or `memory`; `model_share` is the model's share of the time, from 0 to 1. `config`
    contains the settings that should differ from the defaults.
    """

    best: Measured
    times_real_time: float
    limit: str
    model_share: float
    config: dict[str, int]
    advice: tuple[str, ...]

    @property
    def hours_per_day(self) -> float:
        """Hours of speech per day."""
        return 24 * self.times_real_time


def judge(speed: Speed) -> Verdict:
    """Draw conclusions. The model runs on all cores, and the front end takes some of their time."""
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
    """The fastest in a precision; among equally fast ones, the one with the fewest runs, which needs least memory."""
    measured = [it for it in speed.candidates if it.precision == precision and not it.error]
    fastest = max((it.times_real_time for it in measured), default=0.0)
    return min((it for it in measured if it.times_real_time * TIE >= fastest), key=lambda it: it.runs, default=None)


def _advice(speed: Speed, best: Measured) -> Iterator[str]:
    full, small = best_of(speed, "float32"), best_of(speed, "int8")
    if full and small:
        ratio = small.times_real_time / full.times_real_time
        if ratio >= TIE:
            gain = f"int8 is {ratio:.1f} × as fast as float32 here"
            yield f"{gain}, but less accurate: {_options(speed, small)}"
        else:
            yield f"int8 is not faster than float32 here ({ratio:.2f} ×), and less accurate"
        if ratio < FAST_INT8:
            yield f"int8 gains little; this processor's instructions for fast 8-bit products: {eight_bit_features()}"
    if speed.load > BUSY_SHARE * (os.cpu_count() or 1):
        alone = speed.cores / (best.cpu_seconds_per_hour / 3600 + speed.front_end)
        yield f"the machine is busy with other work (load {speed.load:.1f}): measure again when it is idle"
        yield f"by CPU time, a run with all cores to itself reaches at most {alone:.1f} × real time"
    elif best.busy_cores < IDLE_SHARE * speed.cores:
        yield f"the runs keep only {best.busy_cores:.1f} of {speed.cores} cores busy"
    if speed.candidates[0].processes < speed.nodes:
        needed = "not enough memory for one process on each"
        yield f"{speed.nodes} NUMA nodes, but {speed.candidates[0].processes} process: {needed}"
    if speed.model.family == "whisper" and speed.recording is None:
        yield "Whisper's speed depends on the speech: measure one of your recordings, funasr-cli doctor --speed FILE"


def _options(speed: Speed, small: Measured) -> str:
    runs = f" --cpu-runs {small.runs}" if small.runs != speed.candidates[0].runs else ""
    return f"--precision int8{runs}"
