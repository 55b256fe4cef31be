"""How many processes a run starts, and how many threads its runtimes get."""

from __future__ import annotations

from dataclasses import dataclass

from funasr_cli.batch.devices import usable_cores, usable_memory
from funasr_cli.models.store import Model

THREADS = 8
"""Of one graph of batch 1, where there are cores for several: more gain little, another graph beside it gains much."""

MOST_THREADS = 16
"""Of one graph, where there is no use or no memory for another."""

CORES_PER_WORKER = 4
"""A core of front end keeps about four times as many cores of any model busy as a machine has for it."""

MEMORY_PER_WEIGHT = 3
"""Bytes of memory that a loaded graph is granted for each byte of its weights, with what a run needs."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Workers, device processes, and the threads of each device process."""

    workers: int
    devices: int
    threads: int

    def __str__(self) -> str:
        devices = f"{self.devices} device processes" if self.devices > 1 else "1 device process"
        workers = f"{self.workers} workers" if self.workers > 1 else "1 worker"
        return f"{workers}, {devices} with {self.threads} threads"


def cpu_crew(model: Model, workers: int | None, recordings: int) -> Crew:
    """For a model on the CPU: as many graphs side by side as cores and memory are there for; `workers` where given."""
    cores = usable_cores()
    devices = max(1, cores // THREADS)
    if devices > 1:
        weight = MEMORY_PER_WEIGHT * model.weights.stat().st_size
        devices = max(1, min(devices, usable_memory().available // max(1, weight)))
    workers = workers or max(2, cores // CORES_PER_WORKER)
    devices = min(devices, recordings)
    return Crew(min(workers, recordings), devices, min(MOST_THREADS, cores // devices))


def threads_alone() -> int:
    """For one graph in a process of its own."""
    return min(MOST_THREADS, usable_cores())
