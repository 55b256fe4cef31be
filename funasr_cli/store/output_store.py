"""The record of an output folder, kept while a run goes on: lock, state, manifest, and outputs that are never lost."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import MachineError, OutputError, Postponed, writing
from funasr_cli.files import printable, temporary_beside
from funasr_cli.inputs.scan import STDIN, Source
from funasr_cli.outputs.layout import STATE_DIR
from funasr_cli.store.database import Database
from funasr_cli.store.entries import FileStat, InputContent, KnownInput, OutputWrite, WrittenOutput
from funasr_cli.store.lock import folder_lock
from funasr_cli.store.manifest import Fields, Manifest, RunInfo, manifest_line, skipped_fields
from funasr_cli.store.output_files import choose_path
from funasr_cli.store.planner import PlannedJob, PlanRules, decide, remember
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.locks import NO_DEADLINE

logger = logging.getLogger(__name__)

FLUSH_EVERY_CHARS = 50_000
"""Characters after which the state forgets manifest lines that are safely written, far fewer than `repair` looks at."""


class OutputStore:
    """Use `open_store` or `peek_store` to get one."""

    def __init__(self, folder: Path, state: Database, manifest: Manifest, *, beside: bool) -> None:
        self._folder = folder
        self._state = state
        self._manifest = manifest
        self._beside = beside
        self._unflushed = 0
        self._held: list[str] | None = None
        self._of_others: dict[int, list[WrittenOutput]] = {}

    def jobs(self, sources: Sequence[Source], rules: PlanRules) -> list[PlannedJob]:
        """What to do with each source. New sources are given their names."""
        remembered, written = self._look_up(sources)
        return [
            decide(source, known, rules, self._made(known, written.get(known.id, ())), self._state)
            for source, known in remembered
        ]

    def _look_up(
        self, sources: Sequence[Source]
    ) -> tuple[list[tuple[Source, KnownInput]], dict[int, list[WrittenOutput]]]:
        """Each source with what is remembered of it, and the outputs of all by their recording."""
        remembered, written = remember(sources, self._state), self._state.outputs()
        here = {known.id for _, known in remembered}
        self._of_others = {owner: outputs for owner, outputs in written.items() if owner not in here}
        return remembered, written

    def orphans(self, sources: Sequence[Source] | None = None) -> list[Path]:
        """The outputs that are there, but not their recordings; without `sources`, after those of `jobs` are known."""
        if sources is not None:
            self._look_up(sources)
        if not self._of_others:
            return []
        known = [each for each in self._state.inputs().values() if each.id in self._of_others]
        gone = [each.id for each in known if each.path.parent != STDIN and not os.path.lexists(each.path)]
        paths = (self._folder / os.fsdecode(output.key) for owner in gone for output in self._of_others[owner])
        return sorted(path for path in paths if os.path.lexists(path))

    def _made(self, known: KnownInput, written: Iterable[WrittenOutput]) -> dict[str, set[str]]:
        """By format the recipes of the outputs that are still where this run would write them."""
        folder = self._target(known).parent
        made: dict[str, set[str]] = {}
        for output in written:
            path = self._folder / os.fsdecode(output.key)  # an absolute key stays as it is
            if path.parent == folder and path.exists():
                made.setdefault(output.format, set()).add(output.recipe)
        return made

    def _target(self, known: KnownInput) -> Path:
        """Where the outputs of an input go, without the format's ending."""
        return known.path.with_name(known.name.name) if self._beside else self._folder / known.name

    def begin(self, job: PlannedJob) -> JobAttempt:
        """Start on a job."""
        return JobAttempt(job, self._state.begin(job.known))

    def place(
        self, work: JobAttempt, content: InputContent, hashes: Mapping[str, str]
    ) -> tuple[list[OutputWrite], list[str]]:
        """Where the output of each format goes, given its sha256; and warnings where it gets another name.

        From now on they are known as ours. Raises `Postponed` where the input is no longer `content`, and
        `OutputError`.
        """
        now = None
        with suppress(OSError):
            now = FileStat.of(work.job.source.path)
        if now is None or now != content.stat:
            raise Postponed("changed while it was read; left for next time", where=work.job.source.named)
        target = self._target(work.job.known)
        writes, warnings = [], []
        for kind, sha256 in hashes.items():
            wanted = target.with_name(f"{target.name}.{kind}")
            with writing(wanted, OutputError):
                write = self._write_for(work.job.known, target, kind, sha256)
            if write.path != wanted:
                warnings.append(
                    f"{printable(wanted)} was edited or is not ours; the new text is in {printable(write.path.name)}"
                )
            writes.append(write)
        self._state.mark_pending(work.job.known, writes)
        return writes, warnings

    def _write_for(self, known: KnownInput, target: Path, kind: str, sha256: str) -> OutputWrite:
        """What is to be written of one format."""

        def key_of(path: Path) -> bytes:
            return os.fsencode(path if self._beside else path.relative_to(self._folder))

        path, present = choose_path(target, kind, sha256, lambda path: self._state.hashes(key_of(path), known))
        return OutputWrite(key_of(path), path, kind, present, sha256, temporary_beside(path))

    def finish(
        self,
        work: JobAttempt,
        content: InputContent,
        status: str,
        fields: Fields,
        run_info: RunInfo,
        writes: Sequence[OutputWrite] = (),
    ) -> None:
        """Put down that a job ended, `done`, `empty` or `failed`, and that `writes` are in place."""
        line = manifest_line(_recorded_path(work.job), status, work.attempts, fields, run_info)
        self._state.finish(
            work.job.known,
            status,
            stat=content.stat,
            sha256=content.sha256,
            settings=run_info.fingerprint,
            record=line,
            writes=writes,
        )
        self._append(line)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is put down within reaches the disk together."""
        self._held = []
        try:
            with self._state.transaction():
                yield
            lines = self._held
        finally:
            self._held = None
        if lines:
            self._append(*lines)

    def skip(self, job: PlannedJob, why: str, run_info: RunInfo) -> None:
        """Put down that a job is left for next time."""
        line = manifest_line(_recorded_path(job), "skipped", job.known.attempts, skipped_fields(why), run_info)
        self._append(line)

    def _append(self, *lines: str) -> None:
        if self._held is not None:
            self._held += lines  # only what is in the state may be in the manifest
            return
        self._manifest.append(lines)
        self._unflushed += sum(map(len, lines))
        if self._unflushed >= FLUSH_EVERY_CHARS:
            self.flush()

    def flush(self) -> None:
        """All lines are in the manifest."""
        self._state.recorded()
        self._unflushed = 0

    def recover(self) -> None:
        """Clean up after a run that was killed: its temporary files, the manifest's end and missing lines."""
        for temporary in self._state.abandoned():
            logger.debug("left by a run that was killed: %s", temporary)
            with suppress(OSError):
                temporary.unlink()
        self._state.swept()
        self._manifest.repair(self._state.unrecorded())
        self.flush()


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """A job under way, and how often it was begun."""

    job: PlannedJob
    attempts: int


def _recorded_path(job: PlannedJob) -> Path:
    """What the manifest calls a recording: its absolute path, or `stdin`."""
    return job.source.named if job.source.is_stdin else job.known.path


@contextmanager
def open_store(
    folder: Path, *, beside: bool, wait: bool, tell: Tell, deadline: Deadline = NO_DEADLINE
) -> Iterator[OutputStore]:
    """The record of `folder`, locked and put in order; with `wait`, another run may have the lock until the `deadline`.

    Raises `BusyError`, `RecordError` or `MachineError`.
    """
    folder = Path(os.path.abspath(folder))
    hidden = folder / STATE_DIR
    try:
        hidden.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"the output folder cannot be made: {error.strerror}", where=folder) from error
    with ExitStack() as stack:
        stack.enter_context(folder_lock(hidden / "lock", wait=wait, tell=tell, deadline=deadline))
        state = Database(hidden / "state.sqlite")
        stack.callback(state.close)
        store = OutputStore(folder, state, Manifest(folder), beside=beside)
        store.recover()
        yield store
        store.flush()


def has_record(folder: Path) -> bool:
    """Whether a run has written into the folder."""
    return os.access(folder / STATE_DIR / "state.sqlite", os.F_OK)  # says no if the folder may not be entered


@contextmanager
def peek_store(folder: Path, *, beside: bool) -> Iterator[OutputStore]:
    """A copy of the record to plan with: nothing on the disk is changed or locked."""
    folder = Path(os.path.abspath(folder))
    with closing(Database.copy_of(folder / STATE_DIR / "state.sqlite")) as state:
        yield OutputStore(folder, state, Manifest(folder), beside=beside)
