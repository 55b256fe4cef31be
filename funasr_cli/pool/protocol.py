"""What the coordinator and its children say to each other. A pipe that closes says the rest: the other side is gone.

`trace` is the traceback of an error in the process that sends it, which pickling would lose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from funasr_cli.errors import FunasrError
from funasr_cli.pipeline.registry import GraphInfo
from funasr_cli.store.entries import InputContent, OutputWrite, TranscriptSummary
from funasr_cli.system.process import ChildFailed

# To a device process, and back.


@dataclass(frozen=True, slots=True)
class RunWindow:
    """The inputs in this slot are to be run. A worker says it to the parent, the parent to a device."""

    slot: int


@dataclass(frozen=True, slots=True)
class WindowDone:
    """The outputs are in the slot; the run took `seconds` on `device`. The parent says it on to the worker."""

    slot: int
    seconds: float
    device: str


@dataclass(frozen=True, slots=True)
class WindowFailed:
    """The run of this slot failed, with an error that the same inputs would raise again. Sent on as `WindowDone` is."""

    slot: int
    error: FunasrError
    trace: str = ""


@dataclass(frozen=True, slots=True)
class DeviceReady:
    """The device process is ready: its graph, and the recogniser's window in seconds."""

    graph: GraphInfo
    window: float


@dataclass(frozen=True, slots=True)
class DeviceNotice:
    """Something happened to the device that people should know."""

    text: str


@dataclass(frozen=True, slots=True)
class DeviceUnusable:
    """The device process cannot work, and another one could not either."""

    error: FunasrError
    trace: str = ""


# From a worker.


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One of the worker's lanes wants a job: the largest file there is, or the smallest."""

    lane: int


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """The worker wants a slot."""


@dataclass(frozen=True, slots=True)
class SlotReleased:
    """The worker needs this slot no more."""

    slot: int


@dataclass(frozen=True, slots=True)
class OutputsReady:
    """A job's outputs are ready to be written, and these are their hashes by format."""

    job: int
    summary: TranscriptSummary
    content: InputContent
    hashes: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job's outputs are in place."""

    job: int


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A job has no result."""

    job: int
    error: FunasrError
    content: InputContent
    seconds: Mapping[str, float]
    trace: str = ""


# To a worker, which is told a `GraphInfo` first.


@dataclass(frozen=True, slots=True)
class JobAssigned:
    """A recording to be done, for the lane that asked; `name` by its place in the tree."""

    lane: int
    job: int
    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class SlotGranted:
    """The worker may have this slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class WriteOutputs:
    """Where a job's outputs are to be written; None: not at all, the parent has settled the matter."""

    job: int
    writes: Sequence[OutputWrite] | None


FromDevice: TypeAlias = DeviceReady | DeviceNotice | DeviceUnusable | WindowDone | WindowFailed | ChildFailed
FromWorker: TypeAlias = (
    JobRequest | SlotRequest | RunWindow | SlotReleased | OutputsReady | JobDone | JobFailed | ChildFailed
)
ToWorker: TypeAlias = JobAssigned | SlotGranted | WindowDone | WindowFailed | WriteOutputs
