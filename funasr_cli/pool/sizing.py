"""How many processes a run starts, how many windows they run at a time, and with how many threads each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from funasr_cli.executors.placement import RUN_LIMIT_S, Placement
from funasr_cli.models.store import Model
from funasr_cli.system.resources import usable_cores, usable_memory

MAX_RUNS = 32
"""Windows that one process runs side by side on a CPU. Two runs with a thread each do more than one with two threads,
but each has memory of its own, and what is left at the end of a run keeps fewer of them busy."""

MAX_THREADS_BESIDE_NPU = 16
"""Of the graph that takes the place of an NPU; more gain little at batch 1."""

CORES_PER_WORKER = 4
"""A core of front end keeps about four times as many cores of any model busy as a machine has for it."""

MEMORY_PER_WEIGHT_BYTE = 3
"""Bytes of memory that a loaded graph is granted for each byte of its weights, with what its runs need."""

BATCH_MEMORY_PER_WEIGHT_BYTE = 1
"""Bytes of memory for each byte of the weights that a run's batch of windows is granted: more than Whisper's takes."""

WORKERS_PER_NPU = 4
"""One prepares and decodes about 400 times as fast as speech; an NPU that takes 10 ms for 15 s runs 1,500 times."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many workers there are, and a placement for each device process, on whose NUMA nodes workers are too."""

    workers: int
    placements: tuple[Placement, ...]

    @property
    def windows(self) -> int:
        """How many windows are under way at a time, in all device processes together."""
        return sum(placement.windows for placement in self.placements)

    def node_of(self, worker: int) -> int | None:
        """The NUMA node of a worker, counted from 0."""
        return self.placements[worker % len(self.placements)].node

    def on_nodes(self, nodes: Sequence[int | None]) -> PoolSize:
        """The same with a node for each placement; a single one is for all."""
        return replace(
            self,
            placements=tuple(replace(placement, node=node) for placement, node in zip(self.placements, cycle(nodes))),
        )

    @property
    def brief(self) -> str:
        """What is worth a word in every run: the workers, and which NPUs they feed."""
        if any(placement.npu is not None for placement in self.placements):
            return str(self)
        return self._workers

    @property
    def _workers(self) -> str:
        return f"{self.workers} workers" if self.workers > 1 else "1 worker"

    def __str__(self) -> str:
        nodes = sorted({placement.node for placement in self.placements if placement.node is not None})
        where = f", kept on NUMA node{'s' * (len(nodes) > 1)} {', '.join(map(str, nodes))}" if nodes else ""
        npus = [str(placement.npu) for placement in self.placements if placement.npu is not None]
        if npus:
            return f"{self._workers}, NPU{'s' * (len(npus) > 1)} {', '.join(npus)}{where}"
        devices = f"{len(self.placements)} device processes" if len(self.placements) > 1 else "1 device process"
        return f"{self._workers}, {devices} with {describe_layout(self.placements[0])}{where}"


def describe_layout(placement: Placement) -> str:
    """How a CPU is shared out, for people."""
    runs, threads = placement.runs, placement.threads
    of_each = f"{threads} threads" if threads > 1 else "1 thread"
    return of_each if runs == 1 else f"{runs} windows at a time, {of_each} each"


def granted_memory(model: Model, processes: int) -> int:
    """Bytes of memory that so many processes with the model are granted."""
    return MEMORY_PER_WEIGHT_BYTE * model.weights.stat().st_size * processes


def cpu_placement(cores: int, runs: int | None = None) -> Placement:
    """One graph on so many cores: `runs` windows at a time if given, else about as many as there are cores."""
    if runs is None:
        runs = cores // -(-cores // MAX_RUNS)
    return Placement(max(1, cores // runs), runs=runs)


def _with_batches(placement: Placement, model: Model, processes: int = 1) -> Placement:
    """The same, one of so many `processes`, in batches if the model gains by them and there is memory for them."""
    from funasr_cli.pipeline.registry import FAMILIES  # needs NumPy, without which doctor says what is missing

    batch = FAMILIES[model.family].max_batch
    if batch > 1:
        needed = BATCH_MEMORY_PER_WEIGHT_BYTE * model.weights.stat().st_size * placement.runs
        if processes * (granted_memory(model, 1) + needed) > usable_memory().available:
            batch = 1
    return replace(placement, batch=batch)


def cpu_pool_size(
    model: Model,
    workers: int | None,
    recordings: int,
    *,
    nodes: Sequence[int | None] = (None,),
    runs: int | None = None,
) -> PoolSize:
    """For a model on the CPU: a device process on each of the NUMA `nodes`, if there is memory for all; else one.

    `workers`, and the number of `runs` at a time in all processes together, if given.
    """
    cores = usable_cores()
    fit = granted_memory(model, len(nodes)) <= usable_memory().available
    processes = len(nodes) if fit and len(nodes) <= min(cores, runs or cores) else 1
    workers = workers or max(2, cores // CORES_PER_WORKER)
    placement = cpu_placement(cores // processes, max(1, runs // processes) if runs else None)
    placement = _with_batches(placement, model, processes)
    size = PoolSize(min(workers, recordings), (placement,) * processes)
    return size.on_nodes(nodes) if processes == len(nodes) else size


def npu_pool_size(
    npus: Sequence[int], workers: int | None, recordings: int, *, fallback: bool, window_timeout: float
) -> PoolSize:
    """For a model on NPUs: a process for each, and as many workers as keep them busy and have a core."""
    cores = usable_cores()
    threads = max(1, min(MAX_THREADS_BESIDE_NPU, cores // len(npus)))
    workers = workers or max(2, min(cores - len(npus), WORKERS_PER_NPU * len(npus)))
    limit = _run_limit(window_timeout)
    return PoolSize(
        min(workers, recordings), tuple(Placement(threads, npu, fallback, limit) for npu in npus[:recordings])
    )


def single_placement(
    model: Model, npus: Sequence[int], *, fallback: bool, window_timeout: float, runs: int | None = None
) -> Placement:
    """For one graph and all else in one process: on the first of the NPUs, if there are any."""
    cores = usable_cores()
    if not npus:
        return _with_batches(cpu_placement(cores, runs), model)
    return Placement(min(MAX_THREADS_BESIDE_NPU, cores), npus[0], fallback, _run_limit(window_timeout))


def _run_limit(window_timeout: float) -> float:
    """Seconds for a run, so that within `window_timeout` seconds there is time for a reset and another run."""
    return min(RUN_LIMIT_S, window_timeout / 3)
