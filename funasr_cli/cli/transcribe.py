"""`funasr-cli transcribe`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from funasr_cli.audio.languages import language_of
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.batch.options import (
    FORMATS_ON_STDOUT,
    STDOUT,
    DeviceOptions,
    InputOptions,
    OutputOptions,
    ReportOptions,
    RunOptions,
)
from funasr_cli.cli.completion import FILES
from funasr_cli.cli.cue_limits import cue_limits
from funasr_cli.cli.help import GroupedCommand
from funasr_cli.cli.options import ENVIRONMENT, settings
from funasr_cli.errors import UsageError
from funasr_cli.inputs.options import EXTENSIONS, HEADERLESS_EXTENSIONS, FileSelection
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.logs import show_debug_log
from funasr_cli.text.options import SegmentLimits

Group = TypeVar("Group", InputOptions, OutputOptions, DeviceOptions, ReportOptions)


@click.command(
    cls=GroupedCommand,
    short_help="Turn recordings into text and subtitles.",
    context_settings={"auto_envvar_prefix": ENVIRONMENT},
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=FILES)
@settings
@click.pass_obj
def transcribe(flags: dict[str, bool], /, **options: Any) -> None:
    """Turn recordings into text and subtitles.

    Each PATH is a file, a folder (with all its subfolders), a glob pattern, or - for stdin. Transcripts are written to
    ./transcripts, in the same folder structure as the recordings; messages go to stderr. A recording is transcribed
    again only if it, the model or a setting that affects the result has changed.

    \b
    funasr-cli transcribe ./meetings
    funasr-cli transcribe talk.mp4 -f srt,json -o subtitles
    cat call.mp3 | funasr-cli transcribe - -f txt -o - > call.txt

    Every option can also be set by an environment variable or in the --config file: --min-age as FUNASR_CLI_MIN_AGE or
    min_age. If an option can be given several times, its variable separates the values with : as PATH does.

    Exit codes: 0 done, even if nothing was new; 1 some recordings failed; 2 wrong usage; 3 no audio found; 4 no usable
    model, device or folder, or stdout cannot be written; 5 the record (manifest or state) or the summary could not be
    written; 6 another run is using the output folder; 129, 130, 143 interrupted; 141 broken pipe (the reader closed
    stdout).
    """
    flags["debug"] = options["debug"]
    if options["debug"]:
        show_debug_log()
    asked = run_options(**options)
    from funasr_cli.batch.runner import run  # loads NumPy, the runtimes and rich, which --help does not need

    sys.exit(run(asked))


def run_options(**given: Any) -> RunOptions:
    """Sort the command's option values into `RunOptions`. Raises `UsageError` if they contradict each other."""

    def grouped(group: Callable[..., Group], **more: Any) -> Group:
        """Fill a dataclass from the options named like its fields, except for the fields in `more`."""
        names = [part.name for part in fields(group) if part.name not in more]  # type: ignore[arg-type]
        return group(**more, **{name: given[name] for name in names})

    known = EXTENSIONS if given["raw"] is None else (*EXTENSIONS, *HEADERLESS_EXTENSIONS)
    return RunOptions(
        inputs=grouped(
            InputOptions,
            selection=FileSelection(given["ext"] or known, given["include"], given["exclude"]),
        ),
        outputs=grouped(OutputOptions),
        device=grouped(DeviceOptions),
        report=grouped(ReportOptions),
        settings=_settings(given),
        hotword_files=given["hotwords"],
        deadline=given["deadline"],
    )


def _settings(given: dict[str, Any]) -> Settings:
    try:
        return Settings(
            formats=given["formats"] or (FORMATS_ON_STDOUT if given["output"] == STDOUT else Settings().formats),
            layout=OutputLayout(given["txt_layout"], given["bom"], given["crlf"]),
            channels=given["channels"],
            language=None if given["language"] == "auto" else given["language"],
            vad=_vad(given) if given["vad"] == "silero" else None,
            overlap=given["overlap"],
            itn=given["itn"],
            correction=None if given["hotword_correction"] == "off" else given["hotword_correction"],
            script=None if given["script"] == "keep" else given["script"],
            segments=cue_limits(given, SegmentLimits()),
            track=_track(given["track"]),
            raw=None if given["raw"] is None else RawFormat.parse(given["raw"]),
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _track(text: str | None) -> int | str | None:
    """Return the track's number, or one canonical code for its language, so that synonyms are the same setting."""
    if text is None or text.isdigit():
        return None if text is None else int(text)
    tag = text.lower().replace("_", "-")
    return tag if "-" in tag else language_of(tag)


def _vad(given: dict[str, Any]) -> VadOptions:
    padding, min_silence = given["vad_padding"], given["vad_min_silence"]
    try:
        return VadOptions(given["vad_threshold"], given["vad_min_speech"], min_silence, padding)
    except ValueError as error:
        hint = "--vad-padding must not exceed --vad-min-silence: set both." if padding > min_silence else None
        raise UsageError(str(error), hint=hint) from error
