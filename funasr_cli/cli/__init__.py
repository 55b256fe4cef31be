"""The command line: one command a file. Imports nothing heavy before a command really runs."""

from __future__ import annotations

import sys

import click

from funasr_cli import __version__
from funasr_cli.cli.transcribe import transcribe
from funasr_cli.errors import FunasrError

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FUNASR_CLI", "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, "-V", "--version", prog_name="funasr-cli")
def cli() -> None:
    """Transcribe folders of recordings with Fun-ASR and Whisper models, offline, on CPUs and Ascend NPUs."""


cli.add_command(transcribe)


def main() -> None:
    """Entry point: every `FunasrError` becomes one message on stderr and its exit code."""
    try:
        cli.main(standalone_mode=True)
    except FunasrError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
