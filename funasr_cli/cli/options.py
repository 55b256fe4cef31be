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
from funasr_cli.text.options import Script, Strength

ENVIRONMENT = "FUNASR_CLI"
NOT_OPTIONS = ("models",)
"""Variables of ours that are no options, without their prefix."""

CONFIG = "funasr_cli.config_path"
"""Under which the path of the configuration file is in the meta dictionary of click's context."""

Command = TypeVar("Command", bound=Callable[..., Any])


def _split(value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    parts = (part.strip().lower() for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _formats(_: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    names = _split(value)
    for name in names or ():
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is no output format; there are {', '.join(FORMATS)}", param=param)
    return names


def _extensions(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    names = _split(value)
    return names and tuple(name.lstrip(".") for name in names)


def _config(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Make the file's values the defaults, below the environment; refuse variables that mean nothing."""
    if context.resilient_parsing:
        return value  # a shell completes the line
    known = {param.name: param for param in context.command.params if isinstance(param, click.Option) and param.name}
    variables = [*known, *NOT_OPTIONS]
    for variable in os.environ:
        name = variable.removeprefix(f"{ENVIRONMENT}_").lower()
        if variable.startswith(f"{ENVIRONMENT}_") and name not in variables:
            hint = nearest(name, variables, lambda name: f"{ENVIRONMENT}_{name.upper()}")
            raise UsageError(f"the environment variable {variable} is no setting", hint=hint)
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
    """The default of a dataclass's field: it stands there alone."""
    (part,) = (part for part in fields(owner) if part.name == name)
    return part.default if part.default_factory is MISSING else part.default_factory()


def _choice(names: object, owner: type, name: str, *, none: str | None = None, first: bool = False) -> dict[str, Any]:
    """Type and default of an option that takes the values of a literal type, or `none` for None."""
    values, extra = get_args(names), () if none is None else (none,)
    choices = [*extra, *values] if first else [*values, *extra]
    return {"type": click.Choice(choices), "default": _default(owner, name) or none}


def _seconds(name: str, owner: type, field: str, text: str) -> _Option:
    return _option(name, type=NumberRange(0), default=_default(owner, field), metavar="SECONDS", help=text)


DEVICE = Pattern(r"auto|cpu|npu(:\d+(,\d+)*)?", "auto, cpu, npu, npu:0 and npu:0,2")

NUMA = Pattern(r"auto|off|\d+", "auto, off and the number of a node")

TRACK = Pattern(r"[1-9]\d*|[A-Za-z]{2,3}([-_]\w+)*", "the numbers from 1 on and the ISO 639 codes, such as eng or zh")

HOTWORD_FORMAT = "the format: funasr-cli hotwords check --help"

SETTINGS = {
    "What is written": [
        _option("-o", "--output", default=_default(OutputOptions, "output"), metavar="DIR|-", shell_complete=FOLDERS,
                help="Folder for the outputs and the record of the run; - prints one format to stdout."),
        _option("--beside", is_flag=True,
                help="Write each output next to its recording; the record stays in the folder."),
        _option("-f", "--format", "formats", callback=_formats, metavar="FORMAT,...",
                shell_complete=words(lambda: FORMATS),
                help=f"What to write: {', '.join(FORMATS)}.  [default: {','.join(_default(Settings, 'formats'))}; "
                f"{','.join(FORMATS_ON_STDOUT)} on stdout]"),
        _option("--txt-layout", **_choice(TxtLayout, OutputLayout, "txt"),
                help="Of TXT files: one line, a paragraph a line, or each paragraph behind the time at which it "
                "begins."),
        _option("--bom", is_flag=True,
                help="Begin text and subtitles with a byte order mark, for old Windows programs."),
        _option("--crlf", is_flag=True, help="End the lines of text and subtitles as Windows does."),
    ],
    "Which recordings": [
        _option("--include", multiple=True, metavar="GLOB", type=Glob(),
                help="Take only what fits: a path below the folder or, without a slash, a name at any depth, of a "
                "recording or of a folder with all in it. Can be given several times."),
        _option("--exclude", multiple=True, metavar="GLOB", type=Glob(),
                help="Pass over what fits, by the same rules. Can be given several times."),
        _option("--ext", callback=_extensions, metavar="EXT,...",
                help="Extensions taken in folders instead of all known."),
        _seconds("--min-age", InputOptions, "min_age",
                  "Leave files that were changed more recently for next time; 60 is good for cron."),
        _option("--force", is_flag=True, help="Do again what is done."),
        _option("--verify-content", is_flag=True,
                help="Compare content by hash even where size and times are the same."),
        _option("--dry-run", is_flag=True, help="List what would be done and why, and do nothing."),
        _option("--list-orphans", is_flag=True,
                help="List the outputs in the folder whose recordings are gone, a path a line, and do nothing."),
    ],
    "Model and device": [
        _option("--model", metavar="NAME|DIR", shell_complete=MODELS,
                help="By name or folder.  [default: sensevoice-small if it is there, else sensevoice-small-int8, else "
                "whisper-base]"),
        _option("--precision", type=click.Choice(["auto", "float32", "int8"]),
                default=_default(DeviceOptions, "precision"),
                help="Of the model's computation; int8 takes less time and memory and makes more mistakes."),
        _option("--device", default=_default(DeviceOptions, "device"), type=DEVICE, metavar="auto|cpu|npu[:0,1]",
                shell_complete=words(lambda: ("auto", "cpu", "npu")),
                help="Where the model runs: npu takes all NPUs, npu:0,2 these; auto never passes over one in "
                "silence."),
        _option("--on-device-failure", **_choice(OnDeviceFailure, DeviceOptions, "on_device_failure"),
                help="When an NPU fails and does not come back: fail, or go on on the CPU and say so."),
        _option("--window-timeout", type=NumberRange(0, min_open=True), metavar="SECONDS",
                default=_default(DeviceOptions, "window_timeout"),
                help="Give up a device process that takes longer for one window, and run the window again in a new "
                "one."),
        _option("--numa", default=_default(DeviceOptions, "numa"), type=NUMA,
                metavar="auto|off|N",
                help="Memory node to keep the processes on: by default that of their NPU, where there are several."),
    ],
    "Language and text": [
        _option("--language", type=Language(), default=_default(Settings, "language") or "auto", metavar="CODE",
                help="Language spoken, e.g. zh or en; auto lets each recording's first windows vote."),
        _option("--hotwords", multiple=True, metavar="NAME|FILE", type=HotwordFile(),
                help=f"Words to listen for: a list that ships (funasr-cli hotwords list) or a file, one a line "
                f"({HOTWORD_FORMAT}). Can be given several times."),
        _option("--hotword-correction", **_choice(Strength, Settings, "correction", none="off", first=True),
                help="How readily a hotword takes the place of Mandarin text that sounds like it."),
        _option("--itn/--no-itn", default=_default(Settings, "itn"),
                help="Numbers in figures, and punctuation from models that can do without."),
        _option("--script", **_choice(Script, Settings, "script", none="keep"),
                help="Of Chinese text: simplified, traditional, or as in Taiwan or Hong Kong; keep leaves it as the "
                "model writes it."),
    ],
    "Sound": [
        _option("--channels", **_choice(Channels, Settings, "channels"),
                help="Average them, or split: a microphone per channel, each transcribed by itself and labelled."),
        _option("--track", type=TRACK, metavar="N|LANG",
                help="Audio track to take of several: its number, from 1 on, or its language, e.g. zh or chi.  "
                "[default: the file's default track, or if it is silent the first that is not]"),
        _option("--raw", type=RawFormatText(), metavar="FORMAT:RATE:CHANNELS",
                help="How sound is stored in files without a header, e.g. s16le:16000:1 or alaw:8000:1. Files with a "
                "known header are read by that; folders are also searched for .pcm, .raw, .al and the like. Formats: "
                f"{', '.join(ENCODINGS)}."),
        _option("--vad", type=click.Choice(["silero", "off"]), default="silero" if _default(Settings, "vad") else "off",
                help="Voice detector; off transcribes silence as well."),
        _option("--vad-threshold", type=NumberRange(0, 1, min_open=True, max_open=True),
                default=_default(VadOptions, "threshold"),
                metavar="P",
                help="Probability from which a sound is speech."),
        _seconds("--vad-min-speech", VadOptions, "min_speech", "Shorter sounds are no speech."),
        _seconds("--vad-min-silence", VadOptions, "min_silence", "Shorter pauses do not end a stretch of speech."),
        _seconds("--vad-padding", VadOptions, "padding", "Margin kept around speech; at most the minimum silence."),
        _seconds("--overlap", Settings, "overlap", "How far windows overlap in speech without pauses."),
    ],
    "The run": [
        _option("--deadline", metavar="HH:MM|+2h", help="Take on no new recording after this time."),
        _option("--max-files", type=click.IntRange(1), metavar="N", help="Do at most N recordings."),
        _option("--workers", type=click.IntRange(1), metavar="N",
                help="Processes that read and write recordings.  [default: by the cores this process may use]"),
        _option("--cpu-runs", type=click.IntRange(1), metavar="N",
                help="Windows that run at a time on a CPU, each on its share of the cores; funasr-cli doctor --speed "
                "finds the best number.  [default: one for each core, 32 at most]"),
        _option("--wait", is_flag=True, help="Wait where another run holds the output folder."),
        _option("--json-summary", is_flag=True, help="Print the totals as one JSON object on stdout."),
        _option("--progress", **_choice(ProgressStyle, ReportOptions, "progress"),
                help="Live display, lines for a log, or nothing; always on stderr."),
        _option("-q", "--quiet", is_flag=True, help="Say nothing but errors and warnings: for the mails of cron."),
        _option("-v", "--verbose", is_flag=True,
                help="Say at the start why it is this model and this device, and how many processes there are."),
        _option("--debug", is_flag=True, help="Stop at the first error and show where it arose."),
        _option("--config", callback=_config, is_eager=True, expose_value=False, metavar="FILE", shell_complete=FILES,
                help="YAML file with these options as keys; the environment and the command line go before it."),
    ],
}  # fmt: skip


def settings(command: Command) -> Command:
    """Give a command all settings."""
    for title, options in reversed(SETTINGS.items()):
        for option in reversed(options):
            command = click.option(*option.names, cls=GroupedOption, group=title, **option.more)(command)
    return command
