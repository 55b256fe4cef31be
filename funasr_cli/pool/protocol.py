"""Messages between the coordinator and its children. A closed pipe means that the other side is gone.

`trace` is the traceback of an error in the sending process, which pickling would lose.
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

# To and from a device process.


@dataclass(frozen=True, slots=True)
class RunWindow:
    """Run the inputs in this slot. Sent by a worker to the parent, and by the parent to a device."""

    slot: int


@dataclass(frozen=True, slots=True)
class WindowDone:
    """The outputs are in the slot; the run took `seconds` on `device`. The parent forwards it to the worker."""

    slot: int
    seconds: float
    device: str


@dataclass(frozen=True, slots=True)
class WindowFailed:
    """The run of this slot failed, as it would again with the same inputs. Forwarded like `WindowDone`."""

    slot: int
    error: FunasrError
    trace: str = ""


@dataclass(frozen=True, slots=True)
class DeviceReady:
    """The device process is ready. Carries its graph, and the recogniser's window in seconds."""

    graph: GraphInfo
    window: float


@dataclass(frozen=True, slots=True)
class DeviceNotice:
    """An event at the device that the user should know about."""

    text: str


@dataclass(frozen=True, slots=True)
class DeviceUnusable:
    """The device process cannot work, and a new one could not either."""

    error: FunasrError
    trace: str = ""


# From a worker.


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One of the worker's lanes requests a job: the largest or the smallest file left."""

    lane: int


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """The worker requests a slot."""


@dataclass(frozen=True, slots=True)
class SlotReleased:
    """The worker no longer needs this slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class OutputsReady:
    """A job's outputs are ready to be written. Carries their hashes by format, and the `recognition` to keep."""

    job: int
    summary: TranscriptSummary
    content: InputContent
    hashes: Mapping[str, str]
    seconds: Mapping[str, float]
    recognition: bytes | None = None


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job's outputs are written."""

    job: int


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A job failed."""

    job: int
    error: FunasrError
    content: InputContent
    seconds: Mapping[str, float]
    trace: str = ""


# To a worker, after a `GraphInfo`.


@dataclass(frozen=True, slots=True)
class JobAssigned:
    """A recording to transcribe, for the lane that requested it; `name` is its path in the input folder."""

    lane: int
    job: int
    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class SlotGranted:
    """The worker gets this slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class WriteOutputs:
    """Where to write a job's outputs; None: nowhere, because the parent has recorded a failure."""

    job: int
    writes: Sequence[OutputWrite] | None


FromDevice: TypeAlias = DeviceReady | DeviceNotice | DeviceUnusable | WindowDone | WindowFailed | ChildFailed
FromWorker: TypeAlias = (
    JobRequest | SlotRequest | RunWindow | SlotReleased | OutputsReady | JobDone | JobFailed | ChildFailed
)
ToWorker: TypeAlias = JobAssigned | SlotGranted | WindowDone | WindowFailed | WriteOutputs
