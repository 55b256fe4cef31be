"""The settings of a run: options on the command line, keys in a configuration file, `FUNASR_CLI_*` variables."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import click

from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.raw_format import ENCODINGS
from funasr_cli.batch.options import (
    FORMATS_ON_STDOUT,
    DeviceOptions,
    InputOptions,
    OnDeviceFailure,
    OutputOptions,
    ProgressStyle,
    ReportOptions,
)
from funasr_cli.cli.completion import FILES, FOLDERS, MODELS, words
from funasr_cli.cli.config_file import nearest, read_config
from funasr_cli.cli.help import GroupedOption
from funasr_cli.cli.hotword_file import HotwordFile
from funasr_cli.cli.parameter_types import Glob, Language, NumberRange, Pattern, RawFormatText
from funasr_cli.errors import UsageError
from funasr_cli.outputs.layout import FORMATS, OutputLayout, TxtLayout
from funasr_cli.settings.transcription import Channels, Settings
from funasr_cli.text.cue_presets import CUE_PRESETS
from funasr_cli.text.options import MIN_COLUMNS, Script, SegmentLimits, Strength

ENVIRONMENT = "FUNASR_CLI"
NOT_OPTIONS = ("models",)
"""Environment variables of this program that are not options, without the prefix."""

CONFIG = "funasr_cli.config_path"
"""Key of the configuration file's path in the `meta` dictionary of click's context."""

Command = TypeVar("Command", bound=Callable[..., Any])


def _split(value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    parts = (part.strip().lower() for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def formats_of(_: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Parse a comma-separated list of formats. Raises `click.BadParameter` if one is unknown."""
    names = _split(value)
    for name in names or ():
        if name not in FORMATS:
            raise click.BadParameter(f"unknown output format {name!r}; known: {', '.join(FORMATS)}", param=param)
    return names


def _extensions(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    names = _split(value)
    return names and tuple(name.lstrip(".") for name in names)


def _config(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Use the file's values as defaults, which the environment overrides; reject unknown variables."""
    if context.resilient_parsing:
        return value  # called for shell completion only
    known = {param.name: param for param in context.command.params if isinstance(param, click.Option) and param.name}
    variables = [*known, *NOT_OPTIONS]
    for variable in os.environ:
        name = variable.removeprefix(f"{ENVIRONMENT}_").lower()
        if variable.startswith(f"{ENVIRONMENT}_") and name not in variables:
            hint = nearest(name, variables, lambda name: f"{ENVIRONMENT}_{name.upper()}")
            raise UsageError(f"the environment variable {variable} is not a setting", hint=hint)
    if value is not None:
        context.meta[CONFIG] = value
        settings = {name: option for name, option in known.items() if name not in ("config", "help")}
        context.default_map = read_config(Path(value), settings)
    return value


class _Option(NamedTuple):
    names: tuple[str, ...]
    more: dict[str, Any]


def _option(*names: str, **more: Any) -> _Option:
    more.setdefault("show_default", "default" in more and not more.get("is_flag", False))
    return _Option(names, more)


def _default(owner: type, name: str) -> Any:
    """The default of a dataclass field, which is the only place where it is defined."""
    (part,) = (part for part in fields(owner) if part.name == name)
    return part.default if part.default_factory is MISSING else part.default_factory()


def _choice(names: object, owner: type, name: str, *, none: str | None = None, first: bool = False) -> dict[str, Any]:
    """Type and default of an option whose choices are the values of a literal type, and `none` for None."""
    values, extra = get_args(names), () if none is None else (none,)
    choices = [*extra, *values] if first else [*values, *extra]
    return {"type": click.Choice(choices), "default": _default(owner, name) or none}


def _seconds(name: str, owner: type, field: str, text: str) -> _Option:
    return _option(name, type=NumberRange(0), default=_default(owner, field), metavar="SECONDS", help=text)


def _limit(name: str, field: str, kind: click.ParamType[Any], metavar: str, text: str) -> _Option:
    """An option for a limit of subtitles. It has no default, because the limit without it depends on the preset."""
    default = _default(SegmentLimits, field)
    shown = "" if default is None else f"  [default: {default}]"
    return _option(name, type=kind, metavar=metavar, help=text + shown)


DEVICE = Pattern(r"auto|cpu|npu(:\d+(,\d+)*)?", "auto, cpu, npu, npu:0 and npu:0,2")

NUMA = Pattern(r"auto|off|\d+", "auto, off and the number of a node")

TRACK = Pattern(r"[1-9]\d*|[A-Za-z]{2,3}([-_]\w+)*", "the numbers from 1 and the ISO 639 codes, such as eng or zh")

HOTWORD_FORMAT = "format: funasr-cli hotwords check --help"

SETTINGS = {
    "Output": [
        _option("-o", "--output", default=_default(OutputOptions, "output"), metavar="DIR|-", shell_complete=FOLDERS,
                help="Folder for the transcripts and the record of what was done (manifest and state); - prints one "
                "format to stdout."),
        _option("--beside", is_flag=True,
                help="Write each transcript next to its recording; the record stays in the --output folder."),
        _option("--keep/--no-keep", default=_default(OutputOptions, "keep"),
                help="Store the recognised text in the record, so that other formats and layouts can be written later "
                "without recognising again. --no-keep also removes the text stored by earlier runs."),
        _option("-f", "--format", "formats", callback=formats_of, metavar="FORMAT,...",
                shell_complete=words(lambda: FORMATS),
                help=f"Output formats: {', '.join(FORMATS)}.  [default: {','.join(_default(Settings, 'formats'))}; "
                f"{','.join(FORMATS_ON_STDOUT)} on stdout]"),
        _option("--txt-layout", **_choice(TxtLayout, OutputLayout, "txt"),
                help="Layout of TXT files: one line, one paragraph per line, or paragraphs prefixed with their start "
                "time."),
        _option("--bom", is_flag=True,
                help="Start text and subtitle files with a byte order mark, for old Windows programs."),
        _option("--crlf", is_flag=True, help="Use Windows line endings in text and subtitle files."),
    ],
    "Recordings": [
        _option("--include", multiple=True, metavar="GLOB", type=Glob(),
                help="In folders, transcribe only what matches GLOB: a name at any depth or, if GLOB has a slash, a "
                "path below the folder. A matching folder includes everything in it. Can be given several times."),
        _option("--exclude", multiple=True, metavar="GLOB", type=Glob(),
                help="Skip what matches GLOB, by the same rules as --include. Can be given several times."),
        _option("--ext", callback=_extensions, metavar="EXT,...",
                help="File extensions to look for in folders, e.g. wav,mp3, instead of all known ones."),
        _seconds("--min-age", InputOptions, "min_age",
                  "Leave files that changed more recently than this for the next run; 60 works well with cron."),
        _option("--force", is_flag=True, help="Transcribe again even if up to date."),
        _option("--verify-content", is_flag=True,
                help="Compare files by content hash even if their size and times are unchanged."),
        _option("--dry-run", is_flag=True, help="List what would be done and why, without doing it."),
        _option("--list-orphans", is_flag=True,
                help="List the outputs whose recordings are gone, one path per line, without changing anything."),
    ],
    "Model and device": [
        _option("--model", metavar="NAME|DIR", shell_complete=MODELS,
                help="Name or folder of the model; see funasr-cli models list.  [default: sensevoice-small if present, "
                "else sensevoice-small-int8, else whisper-base]"),
        _option("--precision", type=click.Choice(["auto", "float32", "int8"]),
                default=_default(DeviceOptions, "precision"),
                help="Numeric precision of the model; int8 is faster and smaller but less accurate."),
        _option("--device", default=_default(DeviceOptions, "device"), type=DEVICE, metavar="auto|cpu|npu[:0,1]",
                shell_complete=words(lambda: ("auto", "cpu", "npu")),
                help="Device to run the model on: npu uses all NPUs, npu:0,2 only these. auto prefers NPUs and never "
                "ignores one silently."),
        _option("--on-device-failure", **_choice(OnDeviceFailure, DeviceOptions, "on_device_failure"),
                help="If an NPU fails and does not recover: fail, or continue on the CPU with a warning."),
        _option("--window-timeout", type=NumberRange(0, min_open=True), metavar="SECONDS",
                default=_default(DeviceOptions, "window_timeout"),
                help="Replace a device process that takes longer than this for one window, and run the window again."),
        _option("--numa", default=_default(DeviceOptions, "numa"), type=NUMA,
                metavar="auto|off|N",
                help="NUMA node to keep processes on. On a machine with several nodes, auto keeps each process on the "
                "node of its NPU or, on CPUs, uses all nodes."),
    ],
    "Language and text": [
        _option("--language", type=Language(), default=_default(Settings, "language") or "auto", metavar="CODE",
                help="Spoken language, e.g. zh or en; auto detects it from the start of each recording."),
        _option("--hotwords", multiple=True, metavar="NAME|FILE", type=HotwordFile(),
                help="Words to listen for: the name of a built-in list (see funasr-cli hotwords list) or a file with "
                f"one word per line ({HOTWORD_FORMAT}). Can be given several times."),
        _option("--hotword-correction", **_choice(Strength, Settings, "correction", none="off", first=True),
                help="Replace Mandarin text with a hotword that sounds like it: never (off), only in clear cases "
                "(safe), or more readily (strong)."),
        _option("--itn/--no-itn", default=_default(Settings, "itn"),
                help="Write numbers as digits, and add punctuation if the model makes it optional."),
        _option("--script", **_choice(Script, Settings, "script", none="keep"),
                help="Script of Chinese text: simplified, traditional, or as used in Taiwan or Hong Kong; keep leaves "
                "it as the model writes it."),
    ],
    "Subtitles": [
        _option("--cue-preset", type=click.Choice(list(CUE_PRESETS)),
                help="Limits of subtitles from a published guideline; the options below override its figures. See "
                "docs/usage.md for the figures and their sources."),
        _limit("--max-line-width", "columns", click.IntRange(MIN_COLUMNS), "COLUMNS",
               "Maximum width of a line, in columns; Chinese and other wide characters count as two."),
        _limit("--max-lines", "lines", click.IntRange(1), "N", "Maximum number of lines in a subtitle."),
        _limit("--max-cue-seconds", "seconds", NumberRange(0, min_open=True), "SECONDS",
               "Maximum time that a subtitle is shown."),
        _limit("--min-cue-seconds", "min_seconds", NumberRange(0), "SECONDS",
               "Minimum time that a subtitle is shown. A shorter one stays during the silence after it, or is joined "
               "with its neighbour if both fit.  [default: 0.8 if the next one leaves time; never joined]"),
        _limit("--max-cps", "characters_per_s", NumberRange(0, min_open=True), "N",
               "Maximum reading speed, in characters per second: a subtitle stays during the silence after it until it "
               "can be read. Faster speech is left as it is.  [default: 9 Chinese or 18 other characters]"),
        _limit("--cue-gap", "gap", NumberRange(0), "SECONDS", "Minimum time between two subtitles."),
    ],
    "Audio": [
        _option("--channels", **_choice(Channels, Settings, "channels"),
                help="mix averages the channels; split transcribes and labels each one separately, for recordings with "
                "one microphone per channel."),
        _option("--track", type=TRACK, metavar="N|LANG",
                help="Audio track to use if a file has several: its number, starting at 1, or its language, e.g. zh or "
                "chi.  [default: the file's default track, or if that is silent the first that is not]"),
        _option("--raw", type=RawFormatText(), metavar="FORMAT:RATE:CHANNELS",
                help="Format of files without a header, e.g. s16le:16000:1 or alaw:8000:1. Files with a known header "
                "are read by that; folders are also searched for .pcm, .raw, .al and similar. Formats: "
                f"{', '.join(ENCODINGS)}."),
        _option("--vad", type=click.Choice(["silero", "off"]), default="silero" if _default(Settings, "vad") else "off",
                help="Voice activity detector; off transcribes silence as well."),
        _option("--vad-threshold", type=NumberRange(0, 1, min_open=True, max_open=True),
                default=_default(VadOptions, "threshold"),
                metavar="P",
                help="Minimum probability for a sound to count as speech."),
        _seconds("--vad-min-speech", VadOptions, "min_speech", "Shorter sounds do not count as speech."),
        _seconds("--vad-min-silence", VadOptions, "min_silence", "Shorter pauses do not split speech."),
        _seconds("--vad-padding", VadOptions, "padding", "Margin kept around speech; at most --vad-min-silence."),
        _seconds("--overlap", Settings, "overlap", "Overlap of consecutive windows in speech without pauses."),
    ],
    "Run": [
        _option("--deadline", metavar="HH:MM|+2h",
                help="Start no new recording after this time of day, or this long after the start."),
        _option("--max-files", type=click.IntRange(1), metavar="N", help="Transcribe at most N recordings."),
        _option("--workers", type=click.IntRange(1), metavar="N",
                help="Number of processes that read and write recordings.  [default: depends on the available cores]"),
        _option("--cpu-runs", type=click.IntRange(1), metavar="N",
                help="Number of windows to run at a time on a CPU, each on its share of the cores; funasr-cli doctor "
                "--speed finds the best number.  [default: one per core, at most 32]"),
        _option("--wait", is_flag=True, help="If another run is using the output folder, wait for it to finish."),
        _option("--json-summary", is_flag=True, help="Print the totals as one JSON object on stdout."),
        _option("--progress", **_choice(ProgressStyle, ReportOptions, "progress"),
                help="Progress on stderr: a live display (rich), lines for a log (plain), or none."),
        _option("-q", "--quiet", is_flag=True, help="Print only errors and warnings; suits mail from cron."),
        _option("-v", "--verbose", is_flag=True,
                help="Explain at the start which model and device are used and why, and how many processes."),
        _option("--debug", is_flag=True,
                help="Print a debug log, and stop at the first error with a traceback."),
        _option("--config", callback=_config, is_eager=True, expose_value=False, metavar="FILE", shell_complete=FILES,
                help="YAML file with these options as keys; environment variables and the command line override it."),
    ],
}  # fmt: skip


def settings(command: Command) -> Command:
    """Add all settings to a command as options."""
    for title, options in reversed(SETTINGS.items()):
        for option in reversed(options):
            command = click.option(*option.names, cls=GroupedOption, group=title, **option.more)(command)
    return command


def cue_options(command: Command) -> Command:
    """Add the limits of subtitles to a command as options."""
    for option in reversed(SETTINGS["Subtitles"]):
        command = click.option(*option.names, **option.more)(command)
    return command
