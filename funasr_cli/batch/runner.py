"""What `funasr-cli transcribe` does once its options are read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Literal

import click

from funasr_cli.audio.spans import VadOptions
from funasr_cli.batch.backend import Backend, nonsense_is_a_usage_error
from funasr_cli.batch.discover import discover
from funasr_cli.errors import ReaderGone, RecordError, StdoutError, UsageError
from funasr_cli.executors.ascend.topology import choose_nodes
from funasr_cli.executors.selection import choose_device
from funasr_cli.files import printable
from funasr_cli.hotwords import read_hotwords
from funasr_cli.inputs.scan import EXTENSIONS, FileSelection, Source
from funasr_cli.models.store import default_model, find_model
from funasr_cli.outputs import OutputLayout
from funasr_cli.outputs.txt import TxtLayout
from funasr_cli.pipeline.registry import hotword_warnings
from funasr_cli.reporting.display import Style, make_display
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.transcription import Channels, Settings
from funasr_cli.shipped import which_are_taken
from funasr_cli.store.naming import candidates
from funasr_cli.store.output_store import OutputStore, RunInfo, open_store, peek_store
from funasr_cli.store.planner import Action, Job, PlanRules
from funasr_cli.store.sinks import FileSink, StdoutSink
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.signals import Interrupted
from funasr_cli.text.options import Script, Strength

CONCATENABLE_FORMATS = ("txt", "json")
"""Formats of which several can follow each other in one stream."""

MAX_MESSAGES = 10


def transcribe_all(
    *,
    paths: Sequence[str],
    output: str,
    beside: bool,
    formats: tuple[str, ...] | None,
    model: str | None,
    device: str,
    precision: str,
    language: str,
    channels: Channels,
    itn: bool,
    hotwords: tuple[Path, ...],
    hotword_correction: Strength | Literal["off"],
    script: Script | Literal["keep"],
    txt_layout: TxtLayout,
    bom: bool,
    crlf: bool,
    vad: str,
    vad_threshold: float,
    vad_min_speech: float,
    vad_min_silence: float,
    vad_padding: float,
    overlap: float,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    ext: tuple[str, ...] | None,
    min_age: float,
    force: bool,
    verify_content: bool,
    deadline: str | None,
    max_files: int | None,
    workers: int | None,
    window_timeout: float,
    on_device_failure: Literal["fail", "cpu"],
    numa: str,
    wait: bool,
    dry_run: bool,
    json_summary: bool,
    progress: Style,
    debug: bool,
) -> int:
    """Find the recordings and do what is to be done with them; returns the exit code. The options are the command's."""
    on_stdout = output == "-"
    printing = {"-o -": on_stdout, "--dry-run": dry_run, "--json-summary": json_summary}
    wants_stdout = [name for name, given in printing.items() if given]
    if len(wants_stdout) > 1:
        raise UsageError(f"{' and '.join(wants_stdout)} would mix on stdout")
    if on_stdout and beside:
        raise UsageError("--beside and -o - exclude each other")
    if beside and "-" in paths:
        raise UsageError("there is no place beside stdin", hint="Name a folder with -o, or print with -o -.")
    listed = read_hotwords(hotwords)
    with nonsense_is_a_usage_error():
        settings = Settings(
            layout=OutputLayout(txt_layout, bom, crlf),
            channels=channels,
            formats=formats or (("txt",) if on_stdout else ("txt", "srt")),
            language=None if language == "auto" else language,
            vad=_vad(vad_threshold, vad_min_speech, vad_min_silence, vad_padding) if vad == "silero" else None,
            overlap=overlap,
            itn=itn,
            hotwords=listed.words,
            correction=None if hotword_correction == "off" else hotword_correction,
            script=None if script == "keep" else script,
        )
    if on_stdout and len(settings.formats) > 1:
        raise UsageError("only one format fits on stdout", hint="Name it, e.g. -f srt, or write files with -o DIR.")
    display = make_display(progress, results_on_stdout=on_stdout)
    for sentence in which_are_taken(hotwords):
        display.note(sentence)
    until = Deadline(deadline)
    stats = RunStats()
    folder = Path(output).expanduser()
    selection = FileSelection(ext or EXTENSIONS, include, exclude)
    with discover(paths, None if on_stdout else folder, selection, display) as found:
        name, why = (model, "asked for with --model") if model else default_model()
        chosen = choose_device(device)
        if chosen.passed_over:
            display.warn(f"device {chosen.kind}: {chosen.why}")
        to_load = find_model(name, precision, chosen.soc)
        of_hotwords = [*listed.warnings, *hotword_warnings(to_load, listed.words)]
        _tell_few(of_hotwords, display.warn, "; funasr-cli hotwords check tells all of them")
        fallback, nodes = on_device_failure == "cpu", choose_nodes(numa, chosen.npus)
        session = Backend(
            settings, to_load, why, chosen, fallback, nodes, display, until, max_files, workers, window_timeout, debug
        )
        stats.failed = len(found.problems)
        fingerprint = settings.fingerprint(session.model)
        rules = PlanRules(fingerprint, settings.formats, force, verify_content, min_age)
        if dry_run:
            with peek_store(folder, beside=beside) as record:
                _list(record, found.sources, rules)
            return 1 if found.problems else 0
        with _summarised(session, stats) if json_summary else nullcontext():
            try:
                if on_stdout:
                    _to_stdout(session, found.sources, stats)
                else:
                    with open_store(folder, beside=beside, wait=wait, tell=display.warn) as record:
                        _to_files(session, record, found.sources, rules, stats)
            except Interrupted as interruption:
                display.warn(f"interrupted by {interruption}; what was finished is kept")
                return interruption.exit_code
    return 1 if stats.failed else 0


@contextmanager
def _summarised(session: Backend, stats: RunStats) -> Iterator[None]:
    """Print the totals at the end, however it comes."""

    def summarise() -> None:
        click.echo(json.dumps({**stats.summary(), "model": session.model.name, "device": session.device.kind}))

    try:
        yield
    except BaseException:
        with suppress(StdoutError):  # what went wrong first is what must be told
            summarise()
        raise
    try:
        summarise()
    except ReaderGone:
        raise
    except StdoutError as error:
        hint = "Transcripts and record are written; only the summary is missing."
        raise RecordError(error.what, hint=hint) from error


def _vad(threshold: float, min_speech: float, min_silence: float, padding: float) -> VadOptions:
    try:
        return VadOptions(threshold, min_speech, min_silence, padding)
    except ValueError as error:
        hint = "--vad-padding is at most --vad-min-silence: give both." if padding > min_silence else None
        raise UsageError(str(error), hint=hint) from error


def _to_stdout(session: Backend, sources: Sequence[Source], stats: RunStats) -> None:
    kind = session.settings.formats[0]
    if len(sources) > 1 and kind not in CONCATENABLE_FORMATS:
        raise UsageError(
            f"{len(sources)} recordings do not fit into one {kind} stream",
            hint="Write files with -o DIR, or print txt or json.",
        )
    session.print([StdoutSink(source, session.settings, _print) for source in sources], stats)


def _print(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _to_files(
    session: Backend, record: OutputStore, sources: Sequence[Source], rules: PlanRules, stats: RunStats
) -> None:
    run_info = RunInfo(
        session.model.name, session.model.sha256, session.device.kind, session.device.why, rules.settings
    )
    todo: list[Job] = []
    for job in record.jobs(sources, rules):
        if job.action is Action.DO:
            todo.append(job)
        elif job.action is Action.LEAVE:
            record.skip(job, job.why, run_info)
            stats.left += 1
        else:
            stats.skipped += 1
    if stats.left:
        session.display.note(
            f"left for next time, as changed within the last {rules.min_age:g} s (--min-age): {stats.left}"
        )
    if todo:
        _tell_few([text for job in todo[: session.max_files] for text in _unexpected_name(job)], session.display.note)
        session.write([FileSink(record, job, session.settings, run_info) for job in todo], record, stats)
    else:
        session.display.note(f"nothing to do: {stats.skipped} done before")


def _unexpected_name(job: Job) -> Iterator[str]:
    """What is to be said where a new recording's outputs could not get the name that comes to mind."""
    obvious, name = next(candidates(job.source.relative)), job.known.name
    if job.known.status is None and name != obvious:
        taken = f"{printable(obvious)}.* belongs to another recording"
        yield f"{printable(job.source.path)}: its outputs are called {printable(name)}.*, for {taken}"


def _list(record: OutputStore, sources: Sequence[Source], rules: PlanRules) -> None:
    for job in record.jobs(sources, rules):
        click.echo(f"{job.action.value:5} {printable(job.source.path)}: {job.why}")


def _tell_few(messages: Sequence[str], tell: Callable[[str], None], where: str = "") -> None:
    """The first of what may be hundreds of messages, and `where` all of them are."""
    for message in messages[:MAX_MESSAGES]:
        tell(message)
    if len(messages) > MAX_MESSAGES:
        tell(f"… and {len(messages) - MAX_MESSAGES} more{where}")
