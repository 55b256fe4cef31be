"""Sizing of a pool: the number of processes, of windows at a time, and of threads for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from funasr_cli.executors.placement import RUN_LIMIT_S, Placement
from funasr_cli.models.store import Model
from funasr_cli.system.resources import usable_cores, usable_memory

MAX_RUNS = 32
"""Maximum number of windows that one process runs side by side on a CPU. Two runs with one thread each are faster than
one with two threads, but each needs its own memory, and the last windows of a run keep fewer of them busy."""

MAX_THREADS_BESIDE_NPU = 16
"""Maximum threads of the graph that replaces a failed NPU; more gain little at batch size 1."""

CORES_PER_WORKER = 4
"""Cores per worker. The front end on one core feeds about four times as many cores as this, with any model."""

MEMORY_PER_WEIGHT_BYTE = 3
"""Bytes of memory granted to a loaded graph and its runs for each byte of its weights."""

BATCH_MEMORY_PER_WEIGHT_BYTE = 1
"""Bytes of memory granted to a batch of windows for each byte of the weights: more than Whisper needs."""

WORKERS_PER_NPU = 4
"""A worker prepares and decodes at about 400 × real time; an NPU that takes 10 ms for 15 s runs at 1,500 ×."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """The number of workers, and a placement for each device process. Workers share the NUMA nodes of placements."""

    workers: int
    placements: tuple[Placement, ...]

    @property
    def windows(self) -> int:
        """The number of windows that all device processes together run at a time."""
        return sum(placement.windows for placement in self.placements)

    def node_of(self, worker: int) -> int | None:
        """The NUMA node of a worker, counted from 0."""
        return self.placements[worker % len(self.placements)].node

    def on_nodes(self, nodes: Sequence[int | None]) -> PoolSize:
        """A copy with a node for each placement; a single node is used for all."""
        return replace(
            self,
            placements=tuple(replace(placement, node=node) for placement, node in zip(self.placements, cycle(nodes))),
        )

    @property
    def brief(self) -> str:
        """The part worth reporting in every run: the workers, and the NPUs they feed."""
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
    """Describe in words how a CPU is divided."""
    runs, threads = placement.runs, placement.threads
    of_each = f"{threads} threads" if threads > 1 else "1 thread"
    return of_each if runs == 1 else f"{runs} windows at a time, {of_each} each"


def granted_memory(model: Model, processes: int) -> int:
    """Bytes of memory granted to `processes` with the model."""
    return MEMORY_PER_WEIGHT_BYTE * model.weights.stat().st_size * processes


def cpu_placement(cores: int, runs: int | None = None) -> Placement:
    """Place one graph on `cores`, with `runs` windows at a time, by default about as many as cores."""
    if runs is None:
        runs = cores // -(-cores // MAX_RUNS)
    return Placement(max(1, cores // runs), runs=runs)


def _with_batches(placement: Placement, model: Model, processes: int = 1) -> Placement:
    """A copy for one of `processes`, with batches if the model gains from them and there is memory for them."""
    from funasr_cli.pipeline.registry import FAMILIES  # loads NumPy, and doctor must work without it

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
    """The pool for a model on CPUs: a device process on each of the NUMA `nodes` if there is memory for all, else one.

    `workers` and `runs`, the number of windows at a time in all processes together, override the defaults.
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
    """The pool for a model on NPUs: a process for each, and enough workers to keep them busy if there are cores."""
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
    """The placement for a run in one process: on the first NPU, if there are any."""
    cores = usable_cores()
    if not npus:
        return _with_batches(cpu_placement(cores, runs), model)
    return Placement(min(MAX_THREADS_BESIDE_NPU, cores), npus[0], fallback, _run_limit(window_timeout))


def _run_limit(window_timeout: float) -> float:
    """Seconds for one run, so that `window_timeout` leaves time for a reset and another run."""
    return min(RUN_LIMIT_S, window_timeout / 3)
