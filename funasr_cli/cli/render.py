"""`funasr-cli render`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from funasr_cli import exit_codes
from funasr_cli.batch.options import OutputOptions
from funasr_cli.cli.completion import FOLDERS, words
from funasr_cli.cli.cue_limits import cue_limits
from funasr_cli.cli.options import cue_options, formats_of
from funasr_cli.cli.parameter_types import Glob
from funasr_cli.outputs.layout import FORMATS, TxtLayout
from funasr_cli.system.places import expand_home
from funasr_cli.system.signals import Interrupted
from funasr_cli.text.options import Script, SegmentLimits, Strength

NONE = {"keep", "off"}
"""Values of options that stand for None in the settings."""

LAYOUT = {"txt_layout": "txt", "bom": "bom", "crlf": "crlf"}
EDITING = {"itn": "itn", "script": "script", "hotword_correction": "correction"}
"""Options, and the settings that they change."""


@click.command(short_help="Write outputs again, in other formats or layouts, without recognising again.")
@click.argument("folder", default=OutputOptions().output, metavar="[DIR]", shell_complete=FOLDERS)
@click.option(
    "-f",
    "--format",
    "formats",
    callback=formats_of,
    metavar="FORMAT,...",
    shell_complete=words(lambda: FORMATS),
    help=f"Output formats: {', '.join(FORMATS)}.  [default: those that were written]",
)
@click.option("--txt-layout", type=click.Choice(get_args(TxtLayout)), help="Layout of TXT files.")
@click.option("--bom/--no-bom", default=None, help="Start text and subtitle files with or without a byte order mark.")
@click.option("--crlf/--no-crlf", default=None, help="Use Windows or Unix line endings in text and subtitle files.")
@click.option("--itn/--no-itn", default=None, help="Write numbers as digits or as words; only for Whisper.")
@click.option("--script", type=click.Choice([*get_args(Script), "keep"]), help="Script of Chinese text.")
@click.option(
    "--hotword-correction",
    type=click.Choice([*get_args(Strength), "off"]),
    help="Replace text with a hotword that sounds like it; only for recordings transcribed with hotwords.",
)
@cue_options
@click.option(
    "--include",
    multiple=True,
    metavar="GLOB",
    type=Glob(),
    help="Render only recordings that match GLOB, as with transcribe. Can be given several times.",
)
@click.option("--exclude", multiple=True, metavar="GLOB", type=Glob(), help="Skip recordings that match GLOB.")
@click.option("--dry-run", is_flag=True, help="List what would be rendered, without doing it.")
@click.option("--wait", is_flag=True, help="If another run is using the folder, wait for it to finish.")
@click.option("-q", "--quiet", is_flag=True, help="Print only errors and warnings.")
def render(folder: str, quiet: bool, **options: Any) -> None:
    """Write the outputs in DIR again, without recognising the recordings again.

    DIR is an output folder of transcribe, by default ./transcripts. Unless --no-keep was given, transcribe stores the
    recognised text there, so writing other formats and layouts takes milliseconds and needs neither the model nor the
    recordings. For options that are not given, the values with which a recording was transcribed apply. Outputs that
    somebody has edited are not overwritten.

    \b
    funasr-cli render ./transcripts -f vtt,json
    funasr-cli render ./transcripts --script traditional --include '2026-*'

    To change the language, the model or the hotwords, run transcribe again; also to change how numbers are written if
    the model writes them itself, as SenseVoice does.

    Exit codes: 0 done; 1 some recordings could not be rendered; 2 wrong usage; 5 the record could not be written; 6
    another run is using the folder; 129, 130, 143 interrupted.
    """
    from funasr_cli.render.changes import Changes
    from funasr_cli.render.folder import RenderOptions, render_folder  # loads NumPy
    from funasr_cli.reporting.display import make_display

    cue_limits(options, SegmentLimits())  # raises an error for contradictory limits before anything is written

    def given(names: dict[str, str]) -> dict[str, Any]:
        values = {field: options[option] for option, field in names.items() if options[option] is not None}
        return {field: None if value in NONE else value for field, value in values.items()}

    asked = RenderOptions(
        Path(expand_home(folder)),
        Changes(options["formats"], given(LAYOUT), given(EDITING), partial(cue_limits, options)),
        options["include"],
        options["exclude"],
        options["wait"],
        options["dry_run"],
    )
    display = make_display("none" if quiet else "plain", results_on_stdout=False)
    try:
        failed = render_folder(asked, display)
    except Interrupted as interruption:
        display.warn(f"interrupted by {interruption}; what was finished is kept")
        sys.exit(interruption.exit_code)
    sys.exit(exit_codes.FAILED if failed else 0)
