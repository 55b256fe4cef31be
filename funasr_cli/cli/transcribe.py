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
from funasr_cli.cli.help import GroupedCommand
from funasr_cli.cli.options import ENVIRONMENT, settings
from funasr_cli.errors import UsageError
from funasr_cli.inputs.options import EXTENSIONS, HEADERLESS_EXTENSIONS, FileSelection
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.logs import show_debug_log

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

    Each PATH is a file, a folder (with everything below it), a glob pattern, or - for stdin. Results go to
    ./transcripts, in a tree like that of the inputs; messages go to stderr. What is done is not done again unless the
    recording, the model or a setting that matters has changed.

    \b
    funasr-cli transcribe ./meetings
    funasr-cli transcribe talk.mp4 -f srt,json -o subtitles
    cat call.mp3 | funasr-cli transcribe - -f txt -o - > call.txt

    Every option can be set elsewhere too: --min-age by the variable FUNASR_CLI_MIN_AGE, or as min_age in the file of
    --config. In a variable, what can be given several times stands with : between, as in PATH.

    Exit codes: 0 done, also when nothing was new; 1 some recordings failed; 2 wrong usage; 3 no audio found; 4 no
    usable model, device or folder, or nothing can be printed; 5 the record could not be kept, or the summary not be
    printed; 6 another run holds the output folder; 129, 130, 143 interrupted; 141 nobody reads what is printed any
    more.
    """
    flags["debug"] = options["debug"]
    if options["debug"]:
        show_debug_log()
    asked = run_options(**options)
    from funasr_cli.batch.runner import run  # NumPy, the runtimes and rich are loaded here, not for --help

    sys.exit(run(asked))


def run_options(**given: Any) -> RunOptions:
    """The values of the command's options, by what they concern. Raises `UsageError` if they make no sense together."""

    def grouped(group: Callable[..., Group], **more: Any) -> Group:
        """A dataclass whose fields have the names of options, but for those in `more`."""
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
            track=_track(given["track"]),
            raw=None if given["raw"] is None else RawFormat.parse(given["raw"]),
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _track(text: str | None) -> int | str | None:
    """A number, or a language by one code of the several that it may have, so that it is the same setting."""
    if text is None or text.isdigit():
        return None if text is None else int(text)
    tag = text.lower().replace("_", "-")
    return tag if "-" in tag else language_of(tag)


def _vad(given: dict[str, Any]) -> VadOptions:
    padding, min_silence = given["vad_padding"], given["vad_min_silence"]
    try:
        return VadOptions(given["vad_threshold"], given["vad_min_speech"], min_silence, padding)
    except ValueError as error:
        hint = "--vad-padding is at most --vad-min-silence: give both." if padding > min_silence else None
        raise UsageError(str(error), hint=hint) from error
