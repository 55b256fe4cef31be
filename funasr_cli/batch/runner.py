"""A run from its options to its exit code: discover, plan, transcribe, report."""

from __future__ import annotations

import json
import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace

import click

from funasr_cli import exit_codes
from funasr_cli.batch.backend import Backend, Target, choose_target
from funasr_cli.batch.discover import discover
from funasr_cli.batch.options import CONCATENABLE_FORMATS, STDIN, RunOptions
from funasr_cli.batch.orphans import list_orphans, orphans_found
from funasr_cli.batch.rendering import render_kept
from funasr_cli.errors import ReaderGone, RecordError, StdoutError, UsageError
from funasr_cli.files import printable
from funasr_cli.hotwords import HotwordList, read_hotwords
from funasr_cli.inputs.scan import Source
from funasr_cli.json_paths import json_for_stdout, path_fields
from funasr_cli.languages import languages_like
from funasr_cli.package_data import which_are_taken
from funasr_cli.pipeline.registry import hotword_warnings, languages_of, recognized_with
from funasr_cli.reporting.display import make_display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.naming import candidates
from funasr_cli.store.opening import open_store, peek_store
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import Action, PlannedJob, PlanRules
from funasr_cli.store.sinks import FileSink, StdoutSink
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.places import check_relative
from funasr_cli.system.signals import Interrupted

logger = logging.getLogger(__name__)

MAX_MESSAGES = 10
"""Messages of one kind that are shown; there may be hundreds."""

MANY_HOTWORDS = 10_000
"""From this number on, preparing hotwords takes noticeable time."""


def run(options: RunOptions) -> int:
    """Find the recordings, transcribe those that need it, and return the exit code."""
    return Run(options, read_hotwords(options.hotword_files)).execute()


class Run:
    """One run: its steps, and the state they share."""

    def __init__(self, options: RunOptions, words: HotwordList) -> None:
        self.options = options
        self.words = words
        self.settings = replace(options.settings, hotwords=words.words)
        style = "none" if options.report.quiet else options.report.progress
        on_stdout = options.outputs.on_stdout and not options.report.verbose
        self.display = make_display(style, results_on_stdout=on_stdout)
        for sentence in which_are_taken(options.hotword_files):
            self.display.note(sentence)
        self.deadline = Deadline(options.deadline)
        self.stats = RunStats()
        self.reporter = Reporter(self.display, self.stats)

    def execute(self) -> int:
        """Run all steps and return the exit code."""
        inputs, outputs, report = self.options.inputs, self.options.outputs, self.options.report
        output_dir = None if outputs.on_stdout else outputs.folder
        check_relative([*(path for path in inputs.paths if path != STDIN), *map(str, filter(None, [output_dir]))])
        if report.list_orphans:
            list_orphans(inputs, outputs, self.display)
            return 0
        with discover(inputs.paths, output_dir, inputs.selection, self.display) as found:
            logger.debug("%d recordings found, %d problems", len(found.sources), len(found.problems))
            target = choose_target(self.options.device, self.display)
            self._check_language(target)
            self._warn_of_hotwords(target)
            self.stats.failed = len(found.problems)
            self.stats.passed_over = found.passed_over
            made_with = fingerprint(self.settings, target.model)
            rules = PlanRules(
                made_with,
                self.settings.formats,
                recognized_with(made_with, target.model) if outputs.keep else None,
                inputs.force,
                inputs.verify_content,
                inputs.min_age,
            )
            if report.dry_run:
                self._list_plan(found.sources, rules)
                return exit_codes.FAILED if found.problems else 0
            with self._summary(target) if report.json_summary else nullcontext():
                return self._transcribe(found.sources, target, rules)

    def _transcribe(self, sources: Sequence[Source], target: Target, rules: PlanRules) -> int:
        outputs = self.options.outputs
        backend = Backend(self.options, self.settings, target, self.deadline, self.reporter)
        try:
            if outputs.on_stdout:
                self._print(sources, backend)
            else:
                with open_store(
                    outputs.folder,
                    beside=outputs.beside,
                    wait=outputs.wait,
                    tell=self.display.warn,
                    deadline=self.deadline,
                    keep=outputs.keep,
                ) as store:
                    self._write(sources, backend, store, rules, target)
        except Interrupted as interruption:
            self.display.warn(f"interrupted by {interruption}; finished transcripts are kept")
            return interruption.exit_code
        return exit_codes.FAILED if self.stats.failed else 0

    def _print(self, sources: Sequence[Source], backend: Backend) -> None:
        """Transcribe to stdout, without a record."""
        kind = self.settings.formats[0]
        if len(sources) > 1 and kind not in CONCATENABLE_FORMATS:
            raise UsageError(
                f"{len(sources)} recordings cannot be printed as one {kind} stream",
                hint=f"Write files with -o DIR, or print {' or '.join(CONCATENABLE_FORMATS)}.",
            )
        self._warn_of_silence()
        backend.run_local([StdoutSink(source, self.settings, _print_bytes) for source in sources])

    def _write(
        self, sources: Sequence[Source], backend: Backend, store: OutputStore, rules: PlanRules, target: Target
    ) -> None:
        """Transcribe into files all recordings that are not up to date."""
        device = target.device
        info = RunInfo(
            target.model.name, target.model.sha256, device.kind, device.why, rules.fingerprint, rules.recognized_with
        )
        todo, kept = self._plan(sources, store, rules, info)
        if kept:
            todo += render_kept(kept, store, self.settings, info, self.reporter, self.deadline)
        if orphans := store.orphans():
            self.display.note(orphans_found(len(orphans)))
        if not todo:
            if kept:
                self._look_again(store, info)
            else:
                self.display.note(f"nothing to do: {self.stats.skipped} already done")
            return
        if self.deadline.passed:  # while waiting for another run: the model would be loaded for nothing
            self.display.note(f"the deadline, {self.deadline.text}, has passed: no recording is started")
            self.reporter.open([FileSink(store, job, self.settings, info) for job in todo])
            self.reporter.close(len(todo))
            return
        sinks = self._refuse_unwritable(todo, store, info)
        if not sinks:
            self.reporter.open(sinks)
            self.reporter.close(0)
            return
        names = [text for job in todo[: self.options.inputs.max_files] for text in _unexpected_name(job)]
        _tell_few(names, self.display.note)
        self._warn_of_silence()
        if self.settings.hotwords and rules.recognized_with is not None:
            store.kept.put_hotwords(json.loads(rules.fingerprint)["hotwords"], self.settings.hotwords)
        backend.write(sinks, store)
        self._look_again(store, info)

    def _refuse_unwritable(self, todo: Sequence[PlannedJob], store: OutputStore, info: RunInfo) -> list[FileSink]:
        """Return the sinks that can be written; the others fail now, before any work."""
        sinks = {job.known.id: FileSink(store, job, self.settings, info) for job in todo}
        refused: dict[str, list[FileSink]] = defaultdict(list)
        with store.transaction():
            for job, error in store.refusals(todo, self.settings.formats):
                sink = sinks.pop(job.known.id)
                sink.refuse(error)
                refused[str(error)].append(sink)
        messages = []
        for why, failed in refused.items():
            before = sum(sink.failed_before for sink in failed)
            self.stats.failed += len(failed)
            self.stats.failed_before += before
            many = f"{len(failed)} recordings: " if len(failed) > 1 else ""
            messages.append(f"failed{' again' if before == len(failed) else ''}: {many}{why}")
        _tell_few(messages, self.display.warn, "; see the manifest")
        return list(sinks.values())

    def _look_again(self, store: OutputStore, info: RunInfo) -> None:
        """Report outputs that are gone because the file system treated two names as one."""
        for status, error in store.look_again(info):
            self.display.warn(f"failed: {error}")
            self.stats.failed += 1
            if status == "empty":
                self.stats.empty -= 1
            else:
                self.stats.done -= 1

    def _plan(
        self, sources: Sequence[Source], store: OutputStore, rules: PlanRules, info: RunInfo
    ) -> tuple[list[PlannedJob], list[PlannedJob]]:
        """Return the recordings to transcribe and those to render. Records what is left, and counts what is done."""
        todo: list[PlannedJob] = []
        kept: list[PlannedJob] = []
        for job in store.jobs(sources, rules):
            if job.action in (Action.DO, Action.RENDER):
                logger.debug("to %s: %s: %s", job.action.value, job.source.named, job.why)
                (todo if job.action is Action.DO else kept).append(job)
            elif job.action is Action.LEAVE:
                store.skip(job, job.why, info)
                self.stats.left += 1
            else:
                self.stats.skipped += 1
        if self.stats.left:
            self.display.note(
                f"left for next time, changed within the last {rules.min_age:g} s (--min-age): {self.stats.left}"
            )
        return todo, kept

    def _list_plan(self, sources: Sequence[Source], rules: PlanRules) -> None:
        """Print the plan, for `--dry-run`."""
        outputs = self.options.outputs
        with peek_store(outputs.folder, beside=outputs.beside, tell=self.display.warn, keep=outputs.keep) as store:
            for job in store.jobs(sources, rules):
                click.echo(f"{job.action.value:5} {printable(job.source.named)}: {job.why}")

    def _check_language(self, target: Target) -> None:
        """Raise `UsageError` for a language that the model does not know."""
        language, model = self.settings.language, target.model
        if language is None or language in (known := languages_of(model)):
            return
        like = languages_like(language, known)
        meant = f"Did you mean {' or '.join(like)}? " if like else ""
        raise UsageError(
            f"{model.name} does not know the language {language!r}",
            hint=f"{meant}Known languages: auto, {', '.join(sorted(known))}.",
        )

    def _warn_of_hotwords(self, target: Target) -> None:
        if (count := len(self.words.words)) >= MANY_HOTWORDS:
            self.display.note(f"preparing {count:,} hotwords: each process needs a few seconds for this at the start")
        warnings = [*self.words.warnings, *hotword_warnings(target.model, self.words.words)]
        _tell_few(warnings, self.display.warn, "; to see all, use funasr-cli hotwords check")

    def _warn_of_silence(self) -> None:
        if self.settings.vad is None:
            self.display.warn(
                "warning: --vad off: silence and noise are transcribed too, and may turn into words that nobody said; "
                "--vad silero leaves them out"
            )

    @contextmanager
    def _summary(self, target: Target) -> Iterator[None]:
        """Print the totals as one JSON object at the end, even if the run fails."""

        def summarise() -> None:
            about = {**path_fields("model", target.model.name), "device": target.device.kind}
            click.echo(json_for_stdout({**self.stats.summary(), **about}))

        try:
            yield
        except BaseException:
            with suppress(StdoutError):  # the first error is the one to report
                summarise()
            raise
        try:
            summarise()
        except ReaderGone:
            raise
        except StdoutError as error:
            hint = "The transcripts and the record are written; only the summary is missing."
            raise RecordError(error.what, hint=hint) from error


def _print_bytes(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _unexpected_name(job: PlannedJob) -> Iterator[str]:
    """Yield a message if a new recording's outputs could not get the obvious name."""
    obvious, name = next(candidates(job.source.relative)), job.known.name
    if job.known.status is None and name != obvious:
        taken = f"{printable(obvious)}.* is already used by another recording"
        yield f"{printable(job.source.named)}: outputs will be named {printable(name)}.*: {taken}"


def _tell_few(messages: Sequence[str], tell: Callable[[str], None], where: str = "") -> None:
    """Show the first of possibly hundreds of messages, and `where` to find the others."""
    for message in messages[:MAX_MESSAGES]:
        tell(message)
    if len(messages) > MAX_MESSAGES:
        tell(f"… and {len(messages) - MAX_MESSAGES} more{where}")
