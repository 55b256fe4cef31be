"""The record of an output folder during a run: lock, state, manifest, and outputs that are never lost."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import OutputError, Postponed, writing
from funasr_cli.files import printable, temporary_beside
from funasr_cli.inputs.scan import STDIN, Source
from funasr_cli.store.aliases import FileSystems
from funasr_cli.store.database import Database
from funasr_cli.store.entries import FileStat, FinishedInput, InputContent, KnownInput, OutputWrite, recipe_of
from funasr_cli.store.kept import KeptRecognitions
from funasr_cli.store.manifest import Fields, Manifest, RunInfo, failure_fields, manifest_line, skipped_fields
from funasr_cli.store.naming import OutputNames
from funasr_cli.store.output_files import choose_path
from funasr_cli.store.overwritten import find_overwritten
from funasr_cli.store.planner import FINISHED, PlannedJob, PlanRules, decide, remember
from funasr_cli.store.preflight import WriteCheck

logger = logging.getLogger(__name__)

FLUSH_EVERY_CHARS = 50_000
"""Characters of manifest lines after which the state drops those safely written; far fewer than `repair` searches."""


class OutputStore:
    """The record of one output folder. Create it with `open_store` or `peek_store`."""

    def __init__(
        self,
        folder: Path,
        state: Database,
        manifest: Manifest,
        *,
        beside: bool,
        disks: FileSystems,
        tell: Tell,
        kept: KeptRecognitions | None = None,
        recipe_of_kept: Callable[[KnownInput], str | None] | None = None,
    ) -> None:
        self._folder = folder
        self._root = os.fsencode(folder)
        self._state = state
        self._manifest = manifest
        self._beside = beside
        self._disks = disks
        self._tell = tell
        self._kept = kept
        self._recipe_of_kept = kept.recipe if kept else recipe_of_kept
        self._unflushed = 0
        self._held: list[str] | None = None
        self._finished: list[tuple[JobAttempt, str]] = []
        self._here: list[KnownInput] = []

    def jobs(self, sources: Sequence[Source], rules: PlanRules) -> list[PlannedJob]:
        """Decide what to do with each source, and give names to new ones."""
        remembered = self._remember(sources)
        looks: list[tuple[KnownInput, FileStat]] = []
        try:
            return [
                decide(source, known, rules, self._made(known), lambda *new: looks.append(new), self.has_kept)
                for source, known in remembered
            ]
        finally:
            if looks:  # on a network mount that renumbers inodes, this is every file
                self._state.unchanged(looks)

    def _remember(self, sources: Sequence[Source]) -> list[tuple[Source, KnownInput]]:
        names = OutputNames(lambda place: self._disks.tell_apart(self._folder / place), beside=self._beside)
        remembered = remember(sources, self._state, names, self._folder, self._tell)
        self._here = [known for _, known in remembered]
        return remembered

    def orphans(self, sources: Sequence[Source] | None = None) -> list[Path]:
        """Outputs that exist although their recordings are gone.

        Without `sources`, only outputs of recordings from the folders of this run's `jobs`: others may be on a disk
        that is not mounted or does not respond.
        """
        if sources is not None:
            self._remember(sources)
        here = {known.id for known in self._here}
        folders = {os.path.dirname(known.raw_path) for known in self._here}
        of_others: dict[bytes, list[bytes]] = {}
        for owner, path, key in self._state.written():
            if owner not in here and (sources is not None or os.path.dirname(path) in folders):
                of_others.setdefault(path, []).append(key)
        stdin = os.fsencode(STDIN)
        gone = [path for path in of_others if os.path.dirname(path) != stdin and not os.path.lexists(path)]
        found = [Path(os.fsdecode(os.path.join(self._root, key))) for path in gone for key in of_others[path]]
        return sorted(path for path in found if os.path.lexists(path))

    def knows(self, place: Path) -> bool:
        """Whether the record has a recording at this path or below it."""
        path = os.fsencode(os.path.abspath(place))
        return any(known == path or known.startswith(os.path.join(path, b"")) for known in self._state.inputs())

    def _made(self, known: KnownInput) -> dict[str, set[str]]:
        """Recipes by format, of the outputs that still exist where this run would write them."""
        made: dict[str, set[str]] = {}
        if known.status not in FINISHED:
            return made
        folder = os.path.dirname(known.raw_path if self._beside else os.path.join(self._root, known.raw_name))
        for output in self._state.outputs(known):
            path = os.path.join(self._root, output.key)  # an absolute key stays as it is
            if os.path.dirname(path) == folder and os.path.exists(path):
                made.setdefault(output.format, set()).add(output.recipe)
        return made

    def _target(self, known: KnownInput) -> Path:
        """Where the outputs of an input go, without the extension of the format."""
        return known.path.with_name(known.name.name) if self._beside else self._folder / known.name

    def refusals(self, jobs: Iterable[PlannedJob], formats: Sequence[str]) -> list[tuple[PlannedJob, OutputError]]:
        """The jobs whose outputs could not be written, and why."""
        check = WriteCheck(beside=self._beside)
        found = ((job, check.refusal(job.source.path, self._target(job.known), formats)) for job in jobs)
        return [(job, error) for job, error in found if error is not None]

    def begin(self, job: PlannedJob) -> JobAttempt:
        """Start a job and count the attempt."""
        return JobAttempt(job, self._state.begin(job.known))

    def place(
        self, work: JobAttempt, content: InputContent, hashes: Mapping[str, str]
    ) -> tuple[list[OutputWrite], list[str]]:
        """Choose where the output of each format goes, given its sha256; also returns a warning for each new name.

        From now on these files are known as ours. Raises `Postponed` if the input is no longer `content`, and
        `OutputError`.
        """
        now = None
        with suppress(OSError):
            now = FileStat.of(work.job.source.path)
        if now != content.stat:  # both None: it was gone before, and is only rendered
            raise Postponed("changed while it was being read; left for the next run", where=work.job.source.named)
        target = self._target(work.job.known)
        writes, warnings = [], []
        for kind, sha256 in hashes.items():
            wanted = target.with_name(f"{target.name}.{kind}")
            with writing(wanted, OutputError):
                write = self._write_for(work.job.known, target, kind, sha256)
            if write.path != wanted:
                warnings.append(
                    f"{printable(wanted)} was edited, or not written by funasr-cli; "
                    f"the new text is in {printable(write.path.name)}"
                )
            writes.append(write)
        self._state.mark_pending(work.job.known, writes)
        return writes, warnings

    def _write_for(self, known: KnownInput, target: Path, kind: str, sha256: str) -> OutputWrite:
        """The output of one format."""

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
        recognition: bytes | None = None,
    ) -> None:
        """Record that a job ended (`done`, `empty` or `failed`) and that `writes` are in place.

        `recognition` is what the outputs were made from, if it is new and may be kept.
        """
        if self._kept and recognition is not None and run_info.recognized_with is not None:
            self._kept.put(work.job.known, recipe_of(content.sha256, run_info.recognized_with), recognition)
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
        if writes:
            self._finished.append((work, status))
        self._append(line)

    def look_again(self, run_info: RunInfo) -> list[tuple[str, OutputError]]:
        """Record as failed the jobs whose outputs this run itself overwrote; returns their former status and the error.

        Names are chosen to be distinct on the file system, but only a look at the files shows whether they were.
        """
        attempts = {work.job.known.id: (work, status) for work, status in self._finished}
        lost = list(find_overwritten([work.job.known for work, _ in attempts.values()], self._state, self._folder))
        found = []
        for each in lost:
            work, status = attempts[each.known.id]
            hint = "Run the same command again: its outputs will get another name."
            error = OutputError(str(each), where=each.known.path, hint=hint)
            fields = failure_fields(error, None, {}, failed_before=False)
            self.finish(work, InputContent(), "failed", fields, run_info)
            found.append((status, error))
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything recorded within this context to the disk together."""
        self._held = []
        try:
            # The kept result must be on the disk before the state records the recording as done.
            with self._state.transaction(), self._kept.transaction() if self._kept else nullcontext():
                yield
            lines = self._held
        finally:
            self._held = None
        if lines:
            self._append(*lines)

    def write_beside(self, beside: bool) -> None:
        """From now on write outputs next to their recordings, or into the folder."""
        self._beside = beside

    def finished(self) -> list[FinishedInput]:
        """The recordings that are done."""
        return self._state.finished()

    def has_kept(self, known: KnownInput, recognized_with: str) -> bool:
        """Whether a recognition result of the recorded content with these settings of recognition is kept."""
        kept = self._recipe_of_kept(known) if self._recipe_of_kept else None
        return kept == recipe_of(known.sha256, recognized_with)

    @property
    def kept(self) -> KeptRecognitions:
        """The kept recognition results; only for a store that was opened with `keep`."""
        assert self._kept is not None
        return self._kept

    def skip(self, job: PlannedJob, why: str, run_info: RunInfo) -> None:
        """Record that a job is left for the next run."""
        line = manifest_line(_recorded_path(job), "skipped", job.known.attempts, skipped_fields(why), run_info)
        self._append(line)

    def _append(self, *lines: str) -> None:
        if self._held is not None:
            self._held += lines  # the manifest may only have lines that the state has
            return
        self._manifest.append(lines)
        self._unflushed += sum(map(len, lines))
        if self._unflushed >= FLUSH_EVERY_CHARS:
            self.flush()

    def flush(self) -> None:
        """Let the state drop its manifest lines: all are in the manifest."""
        self._state.recorded()
        self._unflushed = 0

    def recover(self) -> None:
        """Clean up after a run that was killed: its temporary files, a torn last manifest line, and missing lines."""
        for temporary in self._state.abandoned():
            logger.debug("left by a run that was killed: %s", temporary)
            with suppress(OSError):
                temporary.unlink()
        self._state.swept()
        self._manifest.repair(self._state.unrecorded())
        self.flush()


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """A job under way, and how many attempts it has had, including this one."""

    job: PlannedJob
    attempts: int


def _recorded_path(job: PlannedJob) -> Path:
    """The path of a recording in the manifest: absolute, or `stdin`."""
    return job.source.named if job.source.is_stdin else job.known.path
