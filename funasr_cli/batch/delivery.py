"""Where a finished transcript goes: into files that are on record, or onto stdout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from funasr_cli.batch.plan import Job
from funasr_cli.batch.record import LeftForNextTime, Provenance, Record, Work
from funasr_cli.batch.scan import Source
from funasr_cli.errors import FunasrError
from funasr_cli.files import shown
from funasr_cli.outputs import WRITERS
from funasr_cli.transcript import Transcript

Seconds = Mapping[str, float]
"""Seconds by stage."""


class Delivery(Protocol):
    """One recording's way out. `start` comes first, then one of the others."""

    @property
    def source(self) -> Source: ...

    def start(self) -> None: ...

    def deliver(self, transcript: Transcript, seconds: Seconds) -> list[str]:
        """Hand over the result; returns warnings. Raises `OutputError`, `LeftForNextTime` or `RecordError`."""
        ...

    def fail(self, error: FunasrError, seconds: Seconds) -> None:
        """There is no result."""
        ...


class StdoutDelivery:
    """Prints the result and keeps no record."""

    def __init__(self, source: Source, kind: str, write: Callable[[str], object]) -> None:
        self.source = source
        self._kind = kind
        self._write = write

    def start(self) -> None:
        pass

    def deliver(self, transcript: Transcript, seconds: Seconds) -> list[str]:
        self._write(WRITERS[self._kind](transcript))
        return []

    def fail(self, error: FunasrError, seconds: Seconds) -> None:
        pass


class FileDelivery:
    """Writes files and puts down what became of the recording."""

    def __init__(self, record: Record, job: Job, formats: Sequence[str], provenance: Provenance) -> None:
        self.source = job.source
        self._record = record
        self._job = job
        self._formats = formats
        self._provenance = provenance
        self._work: Work | None = None

    def start(self) -> None:
        self._work = self._record.begin(self._job)

    def deliver(self, transcript: Transcript, seconds: Seconds) -> list[str]:
        assert self._work is not None
        writes, warnings = self._record.write(self._work, {kind: WRITERS[kind](transcript) for kind in self._formats})
        entry = {
            "duration": round(transcript.duration, 3),
            "speech_seconds": round(transcript.speech_seconds, 3),
            "language": transcript.language,
            "outputs": {shown(write.path.name): write.sha256 for write in writes},
            "warnings": [*transcript.warnings, *warnings],
            "seconds": _rounded(seconds),
        }
        self._record.finish(self._work, "done" if transcript.segments else "empty", entry, self._provenance, writes)
        return warnings

    def fail(self, error: FunasrError, seconds: Seconds) -> None:
        assert self._work is not None
        if isinstance(error, LeftForNextTime):
            self._record.skip(self._job, error.what, self._provenance)
        else:
            entry = {"error": str(error), "seconds": _rounded(seconds)}
            self._record.finish(self._work, "failed", entry, self._provenance)


def _rounded(seconds: Seconds) -> dict[str, float]:
    return {stage: round(value, 3) for stage, value in seconds.items()}
