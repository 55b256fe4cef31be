"""Where a graph runs: on an NPU, or on threads of the CPU."""

from __future__ import annotations

from dataclasses import dataclass

RUN_LIMIT_S = 30.0
"""Seconds for a run on an NPU, of which the first loads kernels; the parent waits longer, for a reset of the device."""


WHISPER_BATCH = 2
"""Windows that Whisper's decoder writes the texts of together: with float32 in 0.7 of the time, with int8 in about the
same. Four take half of the time, and with two cores 280 MB more."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a device process runs the graph: on an NPU, or on the CPU, `runs` at a time with `threads` each.

    A run has one window; with a model that gains by it, up to `batch` of them in some of its steps.
    `fallback`: where the NPU cannot go on, it goes on with as many threads. A run on an NPU may take `limit` seconds.
    `node` is the NUMA node that the process is kept on, if any.
    """

    threads: int
    npu: int | None = None
    fallback: bool = False
    limit: float = RUN_LIMIT_S
    node: int | None = None
    runs: int = 1
    batch: int = 1

    @property
    def windows(self) -> int:
        """How many windows are under way at a time, so that all runs have their batches."""
        return self.runs * self.batch

    @property
    def name(self) -> str:
        """For people."""
        return "the CPU" if self.npu is None else f"NPU {self.npu}"
