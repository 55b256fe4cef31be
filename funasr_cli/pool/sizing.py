"""How many processes a run starts, and how many threads its runtimes get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from funasr_cli.executors.placement import RUN_LIMIT_S, Placement
from funasr_cli.models.store import Model
from funasr_cli.system.resources import usable_cores, usable_memory

THREADS_PER_GRAPH = 8
"""Of one graph of batch 1, where there are cores for several: more gain little, another graph beside it gains much."""

MAX_THREADS_PER_GRAPH = 16
"""Of one graph, where there is no use or no memory for another."""

CORES_PER_WORKER = 4
"""A core of front end keeps about four times as many cores of any model busy as a machine has for it."""

MEMORY_PER_WEIGHT_BYTE = 3
"""Bytes of memory that a loaded graph is granted for each byte of its weights, with what a run needs."""

WORKERS_PER_NPU = 4
"""One prepares and decodes about 400 times as fast as speech; an NPU that takes 10 ms for 15 s runs 1,500 times."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many workers there are, and a placement for each device process, on whose NUMA nodes workers are too."""

    workers: int
    placements: tuple[Placement, ...]

    def node_of(self, worker: int) -> int | None:
        """The NUMA node of a worker, counted from 0."""
        return self.placements[worker % len(self.placements)].node

    def on_nodes(self, nodes: Sequence[int | None]) -> PoolSize:
        """The same with a node for each placement; a single one is for all."""
        return replace(
            self,
            placements=tuple(replace(placement, node=node) for placement, node in zip(self.placements, cycle(nodes))),
        )

    def __str__(self) -> str:
        workers = f"{self.workers} workers" if self.workers > 1 else "1 worker"
        nodes = sorted({placement.node for placement in self.placements if placement.node is not None})
        where = f", kept on NUMA node{'s' * (len(nodes) > 1)} {', '.join(map(str, nodes))}" if nodes else ""
        npus = [str(placement.npu) for placement in self.placements if placement.npu is not None]
        if npus:
            return f"{workers}, NPU{'s' * (len(npus) > 1)} {', '.join(npus)}{where}"
        devices = f"{len(self.placements)} device processes" if len(self.placements) > 1 else "1 device process"
        return f"{workers}, {devices} with {self.placements[0].threads} threads{where}"


def cpu_pool_size(model: Model, workers: int | None, recordings: int) -> PoolSize:
    """For a model on the CPU: as many graphs side by side as cores and memory are there for; `workers` where given."""
    cores = usable_cores()
    devices = max(1, cores // THREADS_PER_GRAPH)
    if devices > 1:
        weight = MEMORY_PER_WEIGHT_BYTE * model.weights.stat().st_size
        devices = max(1, min(devices, usable_memory().available // max(1, weight)))
    workers = workers or max(2, cores // CORES_PER_WORKER)
    devices = min(devices, recordings)
    return PoolSize(min(workers, recordings), (Placement(min(MAX_THREADS_PER_GRAPH, cores // devices)),) * devices)


def npu_pool_size(
    npus: Sequence[int], workers: int | None, recordings: int, *, fallback: bool, window_timeout: float
) -> PoolSize:
    """For a model on NPUs: a process for each, and as many workers as keep them busy and have a core."""
    cores = usable_cores()
    threads = max(1, min(MAX_THREADS_PER_GRAPH, cores // len(npus)))
    workers = workers or max(2, min(cores - len(npus), WORKERS_PER_NPU * len(npus)))
    limit = _run_limit(window_timeout)
    return PoolSize(
        min(workers, recordings), tuple(Placement(threads, npu, fallback, limit) for npu in npus[:recordings])
    )


def single_placement(npus: Sequence[int], *, fallback: bool, window_timeout: float) -> Placement:
    """For one graph and all else in one process: on the first of the NPUs, if there are any."""
    npu = npus[0] if npus else None
    return Placement(min(MAX_THREADS_PER_GRAPH, usable_cores()), npu, fallback, _run_limit(window_timeout))


def _run_limit(window_timeout: float) -> float:
    """Seconds for a run, so that within `window_timeout` seconds there is time for a reset and another run."""
    return min(RUN_LIMIT_S, window_timeout / 3)
