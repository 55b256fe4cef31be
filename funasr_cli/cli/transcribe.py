"""`funasr-cli transcribe`."""

from __future__ import annotations

import sys
from typing import Any

import click

FORMATS = ("txt", "srt", "vtt", "json", "tsv")


def _split_formats(_: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(dict.fromkeys(part.strip().lower() for part in value.split(",")))
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is no output format; there are {', '.join(FORMATS)}", param=param)
    return names


@click.command(short_help="Turn recordings into text and subtitles.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o",
    "--output",
    default="transcripts",
    show_default=True,
    metavar="DIR|-",
    help="Folder for the outputs; - prints one format to stdout.",
)
@click.option("--beside", is_flag=True, help="Write each output next to its recording.")
@click.option(
    "-f",
    "--format",
    "formats",
    callback=_split_formats,
    metavar="FORMAT,...",
    help=f"What to write: {', '.join(FORMATS)}.  [default: txt,srt; txt on stdout]",
)
@click.option("--model", metavar="NAME|DIR", help="Model, by name or folder.  [default: whisper-base]")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "npu"]),
    default="auto",
    show_default=True,
    help="Where the model runs; auto never passes over an NPU in silence.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "int8"]),
    default="float32",
    show_default=True,
    help="Of the model's computation; int8 takes less time and memory and makes more mistakes.",
)
@click.option(
    "--language",
    default="auto",
    show_default=True,
    metavar="CODE",
    help="Language spoken, e.g. zh or en; auto lets each recording's first windows vote.",
)
@click.option(
    "--vad",
    type=click.Choice(["silero", "off"]),
    default="silero",
    show_default=True,
    help="Voice detector; off transcribes silence as well.",
)
@click.option(
    "--vad-threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.4,
    show_default=True,
    help="Probability from which a sound is speech.",
)
@click.option(
    "--vad-min-speech",
    type=click.FloatRange(0),
    default=0.1,
    show_default=True,
    metavar="SECONDS",
    help="Shorter sounds are no speech.",
)
@click.option(
    "--vad-min-silence",
    type=click.FloatRange(0),
    default=0.3,
    show_default=True,
    metavar="SECONDS",
    help="Shorter pauses do not end a stretch of speech.",
)
@click.option(
    "--vad-padding",
    type=click.FloatRange(0),
    default=0.3,
    show_default=True,
    metavar="SECONDS",
    help="Margin kept around speech; at most the minimum silence.",
)
@click.option(
    "--overlap",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How far windows overlap in speech without pauses.",
)
@click.option(
    "--progress",
    type=click.Choice(["auto", "rich", "plain", "none"]),
    default="auto",
    show_default=True,
    help="Live display, lines for a log, or nothing; always on stderr.",
)
@click.option("--debug", is_flag=True, help="Stop at the first error and show where it arose.")
def transcribe(**options: Any) -> None:
    """Turn recordings into text and subtitles.

    Each PATH is a file, a folder (with everything below it), a glob pattern, or - for stdin. Results go to
    ./transcripts, in a tree like that of the inputs; messages go to stderr.

    \b
    funasr-cli transcribe ./meetings
    funasr-cli transcribe talk.mp4 -f srt,json -o subtitles
    cat call.mp3 | funasr-cli transcribe - -f txt -o - > call.txt

    Exit codes: 0 done, 1 some recordings failed, 2 wrong usage, 3 no audio found, 4 no usable model or device,
    130 interrupted.
    """
    from funasr_cli.cli.running import transcribe_all  # NumPy, the runtimes and rich are loaded here, not for --help

    sys.exit(transcribe_all(**options))
