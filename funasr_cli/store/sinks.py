"""Destinations of a finished transcript: recorded files, or stdout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from funasr_cli.errors import FunasrError, OutputError, Postponed
from funasr_cli.inputs.scan import Source
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent, OutputWrite, TranscriptSummary
from funasr_cli.store.manifest import RunInfo, Seconds, failure_fields, transcript_fields
from funasr_cli.store.output_files import encode_formats, hashes_of, write_outputs
from funasr_cli.store.output_store import JobAttempt, OutputStore
from funasr_cli.store.planner import PlannedJob
from funasr_cli.transcript import Transcript


class Sink(Protocol):
    """The destination of one recording's result. `start` is called first, then one of the others.

    After `fail`, `failed_before` is true if the same content failed in an earlier run.
    """

    failed_before: bool

    @property
    def source(self) -> Source: ...

    @property
    def size(self) -> int:
        """Bytes of the recording, from which its work is estimated until its duration is known."""
        ...

    def start(self) -> None: ...

    def deliver(
        self, transcript: Transcript, content: InputContent, seconds: Seconds, recognition: bytes | None = None
    ) -> list[str]:
        """Deliver the result of `content`, and the `recognition` to keep; returns warnings.

        Raises `OutputError`, `Postponed` or `RecordError`.
        """
        ...

    def fail(self, error: FunasrError, content: InputContent, seconds: Seconds) -> None:
        """Report that there is no result."""
        ...


class StdoutSink:
    """Prints the result and keeps no record."""

    failed_before = False

    def __init__(self, source: Source, settings: Settings, print_: Callable[[bytes], object]) -> None:
        self.source = source
        self.size = _size_of(source)
        self._settings = settings
        self._print = print_

    def start(self) -> None:
        pass

    def deliver(
        self, transcript: Transcript, content: InputContent, seconds: Seconds, recognition: bytes | None = None
    ) -> list[str]:
        self._print(b"".join(encode_formats(transcript, self._settings).values()))
        return []

    def fail(self, error: FunasrError, content: InputContent, seconds: Seconds) -> None:
        pass


class FileSink:
    """Writes files and records the outcome.

    `deliver` does everything at once. If another process writes the files, `place` says where to; afterwards `finish`
    is called, or `abandon` if that process died.
    """

    def __init__(self, store: OutputStore, job: PlannedJob, settings: Settings, run_info: RunInfo) -> None:
        self.source = job.source
        self.size = _size_of(job.source)
        self.failed_before = False
        self._settings = settings
        self._store = store
        self._job = job
        self._run_info = run_info
        self._work: JobAttempt | None = None
        self._writes: list[OutputWrite] = []
        self._warnings: list[str] = []

    def start(self) -> None:
        self._work = self._store.begin(self._job)

    def deliver(
        self, transcript: Transcript, content: InputContent, seconds: Seconds, recognition: bytes | None = None
    ) -> list[str]:
        contents = encode_formats(transcript, self._settings)
        write_outputs(self.place(content, hashes_of(contents)), contents)
        return self.finish(TranscriptSummary.of(transcript), content, seconds, recognition)

    def place(self, content: InputContent, hashes: Mapping[str, str]) -> list[OutputWrite]:
        """Choose where to write the output of each format. Raises `OutputError`, `Postponed` or `RecordError`."""
        assert self._work is not None
        self._writes, self._warnings = self._store.place(self._work, content, hashes)
        return self._writes

    def finish(
        self, summary: TranscriptSummary, content: InputContent, seconds: Seconds, recognition: bytes | None = None
    ) -> list[str]:
        """Record that the files are in place; returns warnings. Raises `RecordError`."""
        assert self._work is not None
        fields = transcript_fields(summary, content.sha256, self._writes, self._warnings, seconds)
        status = "empty" if summary.empty else "done"
        self._store.finish(self._work, content, status, fields, self._run_info, self._writes, recognition)
        return self._warnings

    def abandon(self) -> None:
        """Remove partly written files after the process that was writing them died."""
        for write in self._writes:
            with suppress(OSError):
                write.temporary.unlink()

    def refuse(self, error: OutputError) -> None:
        """Record that the outputs could not be written, so that the recording was not even read."""
        self.start()
        assert self._work is not None
        self.failed_before = self._job.known.status == "failed" and self._job.known.sha256 is None
        fields = failure_fields(error, None, {}, failed_before=self.failed_before)
        self._store.finish(self._work, InputContent(), "failed", fields, self._run_info)

    def fail(self, error: FunasrError, content: InputContent, seconds: Seconds) -> None:
        assert self._work is not None
        if isinstance(error, Postponed):
            self._store.skip(self._job, error.what, self._run_info)
        else:
            if content.sha256 is None:  # the process that read it died before it could report the content
                content = InputContent.of(self.source.path)
            known = self._job.known
            self.failed_before = known.status == "failed" and known.sha256 == content.sha256
            fields = failure_fields(error, content.sha256, seconds, failed_before=self.failed_before)
            self._store.finish(self._work, content, "failed", fields, self._run_info)


def _size_of(source: Source) -> int:
    with suppress(OSError):
        return max(1, source.path.stat().st_size)
    return 1  # it will fail when its turn comes
