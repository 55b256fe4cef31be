"""Where a graph runs: on an NPU, or on CPU threads."""

from __future__ import annotations

from dataclasses import dataclass

RUN_LIMIT_S = 30.0
"""Time limit of a run on an NPU; the first run also loads kernels. The parent waits longer, as a reset takes time."""


WHISPER_BATCH = 2
"""Windows that Whisper's decoder generates together: in 0.7 of the time with float32, in about the same time with int8.
Four would take half the time, but 280 MB more with two cores."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a device process runs the graph: on an NPU, or on the CPU with `runs` at a time and `threads` each.

    A run processes one window, or up to `batch` windows in some steps of models that benefit from it. With `fallback`,
    a failed NPU is replaced by that many `threads` of the CPU. A run on an NPU may take `limit` seconds. `node` is the
    NUMA node to which the process is pinned, if any.
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
        """Number of windows in progress at a time, so that all runs get full batches."""
        return self.runs * self.batch

    @property
    def name(self) -> str:
        """The name shown to users."""
        return "the CPU" if self.npu is None else f"NPU {self.npu}"
