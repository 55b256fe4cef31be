"""What `funasr-cli transcribe` does once its options are read."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath

from funasr_cli.audio.vad import VadOptions
from funasr_cli.batch.devices import choose_device, usable_cores
from funasr_cli.batch.engine import Engine, load_engine
from funasr_cli.batch.names import assign_names
from funasr_cli.batch.progress import Display, Style, make_display
from funasr_cli.batch.runner import Job, Sink, run, write_files
from funasr_cli.batch.scan import Scan, Source, scan
from funasr_cli.batch.settings import Settings
from funasr_cli.batch.transcriber import Transcriber
from funasr_cli.errors import NoAudioError, UsageError
from funasr_cli.files import shown
from funasr_cli.models.catalogue import DEFAULT_MODEL
from funasr_cli.models.store import find_model
from funasr_cli.outputs import WRITERS
from funasr_cli.transcript import Transcript

MANY_ON_STDOUT = ("txt", "json")
"""Formats of which several can follow each other in one stream."""


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
    vad: str,
    vad_threshold: float,
    vad_min_speech: float,
    vad_min_silence: float,
    vad_padding: float,
    overlap: float,
    progress: Style,
    debug: bool,
) -> int:
    """Find the recordings, load the model, do them all; returns the exit code. See the command for the options."""
    on_stdout = output == "-"
    if on_stdout and beside:
        raise UsageError("--beside and -o - exclude each other")
    with _nonsense_is_a_usage_error():
        settings = Settings(
            formats=formats or (("txt",) if on_stdout else ("txt", "srt")),
            precision=precision,
            language=None if language == "auto" else language,
            vad=VadOptions(vad_threshold, vad_min_speech, vad_min_silence, vad_padding) if vad == "silero" else None,
            overlap=overlap,
        )
    if on_stdout and len(settings.formats) > 1:
        raise UsageError("only one format fits on stdout", hint="Name it, e.g. -f srt, or write files with -o DIR.")

    display = make_display(progress, results_on_stdout=on_stdout)
    with _stdin_spooled(paths) as spooled:
        found = scan([path for path in paths if path != "-"], None if on_stdout else Path(output))
        found.sources += [Source(path, PurePath("stdin")) for path in spooled]
        _check_found(found, settings, display, on_stdout)
        engine = load_engine(
            find_model(model or DEFAULT_MODEL),
            choose_device(device, "Whisper"),
            precision=precision,
            threads=usable_cores(),
        )
        _check_language(settings, engine)
        display.note(f"{engine.model.name} on {engine.executor.device}: {engine.device.why}")
        with _nonsense_is_a_usage_error():
            transcriber = Transcriber(engine, settings)
        names = assign_names(found.sources)
        jobs = [Job(source, names[source]) for source in found.sources]
        sink = _print_result(settings) if on_stdout else _write_result(settings, jobs, None if beside else Path(output))
        tally = run(jobs, transcriber, sink, display, debug=debug)
    return 1 if tally.failed or found.problems else 0


@contextmanager
def _nonsense_is_a_usage_error() -> Iterator[None]:
    """Values that are right each for itself but make no sense together are refused where they meet."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


@contextmanager
def _stdin_spooled(paths: Sequence[str]) -> Iterator[list[Path]]:
    """Stdin's content in a private temporary file, if it was asked for: the index of an MP4 may come last."""
    if "-" not in paths:
        yield []
        return
    with tempfile.NamedTemporaryFile(prefix="funasr-cli-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield [Path(file.name)]


def _check_found(found: Scan, settings: Settings, display: Display, on_stdout: bool) -> None:
    for path, why in found.problems:
        display.warn(f"failed: {shown(path)}: {why}")
    if not found.sources:
        raise NoAudioError(
            "no recording in what was named",
            hint="Folders are searched for audio and video files by their extension; name a file to take it anyway.",
        )
    if on_stdout and len(found.sources) > 1 and settings.formats[0] not in MANY_ON_STDOUT:
        raise UsageError(
            f"{len(found.sources)} recordings do not fit into one {settings.formats[0]} stream",
            hint="Write files with -o DIR, or print txt or json.",
        )


def _check_language(settings: Settings, engine: Engine) -> None:
    known = engine.recognizer.languages
    if settings.language is not None and settings.language not in known:
        raise UsageError(
            f"{engine.model.name} does not know the language {settings.language!r}",
            hint=f"It knows: auto, {', '.join(sorted(known))}.",
        )


def _print_result(settings: Settings) -> Sink:
    def sink(transcript: Transcript, name: PurePath) -> None:
        sys.stdout.write(WRITERS[settings.formats[0]](transcript))
        sys.stdout.flush()

    return sink


def _write_result(settings: Settings, jobs: Sequence[Job], output_dir: Path | None) -> Sink:
    folders = {job.name: job.source.path.parent for job in jobs}

    def sink(transcript: Transcript, name: PurePath) -> None:
        target = folders[name] / name.name if output_dir is None else output_dir / name
        write_files(transcript, target, settings.formats)

    return sink
