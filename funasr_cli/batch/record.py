"""The record of an output folder, kept while a run goes on: lock, state, manifest, and outputs that are never lost."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from funasr_cli.batch.lock import locked
from funasr_cli.batch.manifest import Manifest, as_line
from funasr_cli.batch.plan import FINISHED, Job, Rules, decide, remember
from funasr_cli.batch.scan import Source
from funasr_cli.batch.state import Input, Stat, State, Write
from funasr_cli.errors import FunasrError, MachineError, OutputError
from funasr_cli.files import sha256_of, shown, temporary_beside, write_whole

HIDDEN = ".funasr-cli"
"""Folder within the output folder for the state and the lock."""

SETTLE_EVERY = 100
"""Files after which the state forgets manifest lines that are safely written."""


class LeftForNextTime(FunasrError):
    """Nothing is wrong with the recording, but it is not to be done now."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What every line of the manifest says of the run."""

    model: str
    model_sha256: str
    device: str
    device_why: str
    settings: str


class Record:
    """Use `open_record` or `peek_record` to get one."""

    def __init__(self, folder: Path, state: State, manifest: Manifest, *, beside: bool) -> None:
        self._folder = folder
        self._state = state
        self._manifest = manifest
        self._beside = beside
        self._unsettled = 0

    def jobs(self, sources: Sequence[Source], rules: Rules) -> list[Job]:
        """What to do with each source. New sources are given their names."""
        written = self._state.outputs()
        return [
            decide(source, known, rules, {k: self._path(v) for k, v in written.get(known.id, {}).items()}, self._state)
            for source, known in remember(sources, self._state)
        ]

    def target(self, job: Job) -> Path:
        """Where the outputs of a job go, without the format's ending."""
        return job.source.path.parent / job.known.name.name if self._beside else self._folder / job.known.name

    def begin(self, job: Job) -> Work:
        """Start on a job: what is found now is what the result will be of."""
        attempts = self._state.begin(job.known)
        try:
            return Work(job, attempts, Stat.of(job.source.path), sha256_of(job.source.path))
        except OSError:  # the decoder will say what is wrong with it
            return Work(job, attempts, None, None)

    def write(self, work: Work, contents: Mapping[str, str]) -> tuple[list[Write], list[str]]:
        """Write an output for each format; returns them, and warnings where one had to go under another name.

        Raises `LeftForNextTime` where the input is no longer what it was, and `OutputError`.
        """
        now = None
        with suppress(OSError):
            now = Stat.of(work.job.source.path)
        if now is None or now != work.stat:
            raise LeftForNextTime("changed while it was read; left for next time", where=work.job.source.path)
        return self._write(work.job, {kind: text.encode() for kind, text in contents.items()})

    def _write(self, job: Job, contents: Mapping[str, bytes]) -> tuple[list[Write], list[str]]:
        target = self.target(job)
        writes, warnings = [], []
        path = target
        try:
            for kind, data in contents.items():
                write = self._place(job.known, target, kind, hashlib.sha256(data).hexdigest())
                wanted = target.with_name(f"{target.name}.{kind}")
                if write.path != wanted:
                    warnings.append(f"{shown(wanted)} was edited; the new text is in {shown(write.path.name)}")
                writes.append(write)
            self._state.announce(job.known, writes)
            for write in writes:
                path = write.path
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, contents[write.format], write.temporary)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=path) from error
        return writes, warnings

    def _place(self, known: Input, target: Path, kind: str, sha256: str) -> Write:
        """The first name at which nothing would be lost: free, or holding what we left there or would write."""
        endings = chain([kind, f"new.{kind}"], (f"new{number}.{kind}" for number in count(2)))
        for path in (target.with_name(f"{target.name}.{ending}") for ending in endings):
            key = os.fsencode(path.absolute() if self._beside else path.relative_to(self._folder))
            ours = self._state.hashes(key, known)
            if ours is None:
                continue
            present = sha256_of(path) if os.path.lexists(path) else None
            if present is None or present in ours or present == sha256:
                break
        return Write(key, path, kind, present, sha256, temporary_beside(path))

    def finish(self, work: Work, status: str, entry: Mapping[str, object], provenance: Provenance) -> None:
        """Put down that a job ended: `done`, `empty` or `failed`."""
        line = self._line(work.job, status, work.attempts, {"sha256": work.sha256, **entry}, provenance)
        self._state.finish(
            work.job.known,
            status,
            stat=work.stat if status in FINISHED else None,
            sha256=work.sha256,
            settings=provenance.settings,
            record=line,
        )
        self._manifest.append(line)
        self._unsettled += 1
        if self._unsettled >= SETTLE_EVERY:
            self.settle()

    def skip(self, job: Job, why: str, provenance: Provenance) -> None:
        """Put down that a job is left for next time."""
        self._manifest.append(self._line(job, "skipped", job.known.attempts, {"error": why}, provenance))

    def settle(self) -> None:
        """All lines are in the manifest."""
        self._state.recorded()
        self._unsettled = 0

    def recover(self) -> None:
        """Clean up after a run that was killed: its temporary files, the manifest's end and missing lines."""
        for temporary in self._state.abandoned():
            with suppress(OSError):
                temporary.unlink()
        self._manifest.repair(self._state.unrecorded())
        self.settle()

    def _line(self, job: Job, status: str, attempts: int, entry: Mapping[str, object], provenance: Provenance) -> str:
        return as_line(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "path": shown(job.source.path.absolute()),
                "status": status,
                "attempts": attempts,
                **entry,
                "model": provenance.model,
                "model_sha256": provenance.model_sha256,
                "device": provenance.device,
                "device_why": provenance.device_why,
                "settings": hashlib.sha256(provenance.settings.encode()).hexdigest(),
            }
        )

    def _path(self, key: bytes) -> Path:
        return self._folder / os.fsdecode(key)  # an absolute key stays as it is


@dataclass(frozen=True, slots=True)
class Work:
    """A job under way, and the content it is done with."""

    job: Job
    attempts: int
    stat: Stat | None
    sha256: str | None


@contextmanager
def open_record(folder: Path, *, beside: bool, wait: bool, tell: Callable[[str], None]) -> Iterator[Record]:
    """The record of `folder`, locked and put in order. Raises `BusyError`, `RecordError` or `MachineError`."""
    hidden = folder / HIDDEN
    try:
        hidden.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"the output folder cannot be made: {error.strerror}", where=folder) from error
    with ExitStack() as stack:
        stack.enter_context(locked(hidden / "lock", wait=wait, tell=tell))
        state = State(hidden / "state.sqlite")
        stack.callback(state.close)
        record = Record(folder, state, Manifest(folder), beside=beside)
        record.recover()
        yield record
        record.settle()


def peek_record(folder: Path, *, beside: bool) -> Record:
    """A copy of the record to plan with: nothing on the disk is changed or locked."""
    return Record(folder, State.copy_of(folder / HIDDEN / "state.sqlite"), Manifest(folder), beside=beside)
