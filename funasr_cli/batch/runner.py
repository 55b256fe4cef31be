"""The run: every recording in turn, its outputs written, failures kept to themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from funasr_cli.batch.progress import Display, Tally
from funasr_cli.batch.scan import Source
from funasr_cli.batch.transcriber import Transcriber
from funasr_cli.errors import FunasrError, OutputError
from funasr_cli.files import shown, write_whole
from funasr_cli.outputs import WRITERS
from funasr_cli.transcript import Transcript

Sink = Callable[[Transcript, PurePath], None]
"""Takes a finished transcript and the name of its outputs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A recording and the name of its outputs, without folder and ending."""

    source: Source
    name: PurePath


def write_files(transcript: Transcript, target: Path, formats: Sequence[str]) -> None:
    """Write `target.<format>` for each format. Raises `OutputError`."""
    for kind in formats:
        path = target.with_name(f"{target.name}.{kind}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, WRITERS[kind](transcript).encode())
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=path) from error


def run(jobs: Sequence[Job], transcriber: Transcriber, sink: Sink, display: Display, *, debug: bool = False) -> Tally:
    """Do all jobs. A job that fails costs only itself; with `debug` it ends the run with its traceback."""
    sizes = {job: _size(job.source.path) for job in jobs}
    tally = Tally(total_files=len(jobs), total_work=sum(sizes.values()))
    display.start(tally)
    try:
        for job in jobs:
            _run_one(job, sizes[job], transcriber, sink, display, tally, debug)
    finally:
        display.close(tally)
    return tally


def _run_one(
    job: Job, size: int, transcriber: Transcriber, sink: Sink, display: Display, tally: Tally, debug: bool
) -> None:
    name = shown(job.source.relative)
    audio, work = tally.audio, tally.work

    def tick(seconds: float, duration: float | None) -> None:
        tally.audio = audio + seconds
        tally.work = work + (size * min(1.0, seconds / duration) if duration else 0.0)
        display.update(tally, name)

    display.update(tally, name)
    try:
        transcript = transcriber.transcribe(job.source.path, name, tick)
        sink(transcript, job.name)
        tally.audio = audio + transcript.duration
        for warning in transcript.warnings:
            display.warn(f"warning: {name}: {warning}")
    except FunasrError as error:
        if debug:
            raise
        tally.failed += 1
        tally.audio = audio
        display.warn(f"failed: {error}")
    tally.files += 1
    tally.work = work + size
    display.update(tally, name)


def _size(path: Path) -> int:
    try:
        return max(1, path.stat().st_size)
    except OSError:
        return 1  # it will fail when its turn comes
