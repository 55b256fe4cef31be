"""`funasr-cli transcribe`."""

from __future__ import annotations

import sys
from typing import Any

import click

from funasr_cli.cli.help import GroupedCommand
from funasr_cli.cli.options import ENVIRONMENT, settings


@click.command(
    cls=GroupedCommand,
    short_help="Turn recordings into text and subtitles.",
    context_settings={"auto_envvar_prefix": ENVIRONMENT},
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
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
    printed; 6 another run holds the output folder; 130, 143 interrupted; 141 nobody reads what is printed any more.
    """
    flags["debug"] = options["debug"]
    from funasr_cli.batch.runner import transcribe_all  # NumPy, the runtimes and rich are loaded here, not for --help

    sys.exit(transcribe_all(**options))
