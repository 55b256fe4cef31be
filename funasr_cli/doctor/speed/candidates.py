"""Candidates to compare: each precision of a model in a few layouts that use all cores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.executors.ascend.topology import choose_nodes
from funasr_cli.executors.placement import Placement
from funasr_cli.models.catalogue import CATALOGUE
from funasr_cli.models.layouts import choose_weights, layout_of
from funasr_cli.models.store import Model, default_model, find_model
from funasr_cli.pool.sizing import PoolSize, cpu_pool_size, granted_memory
from funasr_cli.system.places import expand_home
from funasr_cli.system.resources import usable_cores

MAX_LAYOUTS = 4
"""Layouts per precision; more would take longer than a minute."""

MANY_RECORDINGS = 1_000_000
"""Speed is measured for a run that never runs out of recordings."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model in one precision, and the placements of its processes."""

    model: Model
    placements: tuple[Placement, ...]

    @property
    def runs(self) -> int:
        """Windows at a time in all processes together, as set by `--cpu-runs`."""
        return sum(placement.runs for placement in self.placements)

    @property
    def threads(self) -> int:
        """Threads of each run."""
        return self.placements[0].threads

    @property
    def needed_memory(self) -> int:
        """Bytes of memory granted to its processes."""
        return granted_memory(self.model, len(self.placements))

    def __str__(self) -> str:
        return f"{self.model.precision}, {self.runs} × {self.threads} threads"


def models_by_precision(name: str | None) -> list[Model]:
    """The model called `name`, or the default model, in each precision that its folder has for a CPU.

    The first is what a run uses by default. Raises `ModelError` as a run does, and if it is only compiled for NPUs.
    """
    name = name or default_model()[0]
    folder = expand_home(name)
    if name not in CATALOGUE and folder.is_dir() and not _precisions(folder):
        what = "is compiled for NPUs and has no weights for a CPU, but --speed measures the CPU"
        raise ModelError(what, where=name, hint="Without --speed, doctor runs it once on each NPU.")
    first = find_model(name).made_absolute()
    found = {precision: weights for weights, precision in _precisions(first.path)}
    others = [replace(first, weights=found[kind], precision=kind) for kind in found if kind != first.precision]
    return [first, *others]


def _precisions(folder: Path) -> list[tuple[Path, str]]:
    layout, found = layout_of(folder), []
    for precision in layout.weights:
        with suppress(ModelError):
            found.append(choose_weights(layout, folder, precision))
    return found


def layouts(model: Model) -> list[Candidate]:
    """The model in the default layout of a run, which comes first, and in other layouts."""
    nodes = choose_nodes("auto", ())
    own = pool_size(model, nodes)
    processes = len(own.placements)
    each = own.placements[0].runs
    others = [runs for runs in runs_to_compare(usable_cores() // processes, each) if runs != each]
    sizes = [own, *(pool_size(model, nodes, runs * processes) for runs in others)]
    return [Candidate(model, size.placements) for size in sizes]


def pool_size(model: Model, nodes: Sequence[int | None], runs: int | None = None) -> PoolSize:
    """The pool size of a run with many recordings on this machine's CPU."""
    return cpu_pool_size(model, None, MANY_RECORDINGS, nodes=nodes, runs=runs)


def runs_to_compare(cores: int, default: int) -> list[int]:
    """Numbers of runs at a time to compare, ascending: 1, the default, `cores`, and some in the widest gaps."""
    divisors = [runs for runs in range(1, cores + 1) if cores % runs == 0]
    chosen = sorted({1, default, cores})
    while len(chosen) < MAX_LAYOUTS:
        gaps = [(low, high) for low, high in pairwise(chosen) if any(low < runs < high for runs in divisors)]
        if not gaps:
            break
        low, high = max(gaps, key=lambda gap: gap[1] / gap[0])
        chosen = sorted([*chosen, _between(low, high, divisors)])
    return chosen


def _between(low: int, high: int, divisors: Sequence[int]) -> int:
    """The divisor nearest to the geometric mean of `low` and `high`."""
    middle = math.sqrt(low * high)
    return min((runs for runs in divisors if low < runs < high), key=lambda runs: abs(math.log(runs / middle)))


def groups(candidates: Sequence[Candidate], memory: int) -> Iterator[list[Candidate]]:
    """Group candidates, in order, that fit into `memory` bytes together; one that does not fit is a group alone."""
    group: list[Candidate] = []
    for candidate in candidates:
        if group and sum(it.needed_memory for it in [*group, candidate]) > memory:
            yield group
            group = []
        group.append(candidate)
    if group:
        yield group
