"""The command line, one command per file. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import os
import signal
import sys
from itertools import pairwise
from pathlib import Path

import click

from funasr_cli import __version__, exit_codes
from funasr_cli.cli.completion import COMPLETE_VAR, completion
from funasr_cli.cli.config import config
from funasr_cli.cli.convert import convert
from funasr_cli.cli.doctor import doctor
from funasr_cli.cli.export import export, freeze
from funasr_cli.cli.help import CommandGroup
from funasr_cli.cli.hotwords import hotwords
from funasr_cli.cli.models import models
from funasr_cli.cli.render import render
from funasr_cli.cli.score import score
from funasr_cli.cli.stdio import take_streams
from funasr_cli.cli.transcribe import transcribe
from funasr_cli.errors import FunasrError, MachineError, ReaderGone, UsageError
from funasr_cli.files import printable
from funasr_cli.system.logs import is_debugging, show_debug_log
from funasr_cli.system.signals import heeded

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=CommandGroup, context_settings=CONTEXT)
@click.version_option(__version__, "-V", "--version", prog_name="funasr-cli")
def cli() -> None:
    """Transcribe folders of recordings offline, with SenseVoice or Whisper, on CPUs and Ascend NPUs.

    \b
    funasr-cli transcribe ./meetings        write text and subtitles to ./transcripts
    funasr-cli doctor                       find out what is missing if that fails
    """


cli.add_command(transcribe)
cli.add_command(render)
cli.add_command(config)
cli.add_command(convert)
cli.add_command(doctor)
cli.add_command(export)
cli.add_command(freeze)
cli.add_command(hotwords)
cli.add_command(models)
cli.add_command(score)
cli.add_command(completion)


def main() -> None:
    """Entry point: turn every error into one message on stderr and an exit code."""
    take_streams()
    # Commands update this once their options are parsed.
    flags = {"debug": "--debug" in sys.argv or is_debugging()}
    if flags["debug"]:
        show_debug_log()
    for number in heeded(signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)  # an exit by exception removes half-written files
    try:
        _refuse_empty(sys.argv[1:])
        sys.exit(cli.main(standalone_mode=False, complete_var=COMPLETE_VAR, obj=flags))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ReaderGone as error:
        sys.exit(error.exit_code)
    except FunasrError as error:
        if flags["debug"]:
            raise
        _fail(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(exit_codes.INTERRUPTED)
    except Exception as error:
        if flags["debug"]:
            raise
        _fail(_unexpected(error))


def _fail(error: FunasrError) -> None:
    click.echo(f"error: {error}", err=True)
    sys.exit(error.exit_code)


def _unexpected(error: Exception) -> FunasrError:
    """Explain what the operating system refused; anything else is a bug."""
    from funasr_cli.system import places, refusals  # not needed for --help

    refusal = refusals.refusal_of(error)
    if refusal is None:
        return FunasrError(f"unexpected {type(error).__name__}: {error}", hint=refusals.BUG)
    fault = places.current_folder_fault()
    if fault and isinstance(error, OSError) and not Path(str(error.filename or "")).is_absolute():
        return MachineError(fault, hint=places.ANOTHER_FOLDER)
    return refusal


def _refuse_empty(arguments: list[str]) -> None:
    """Raise `UsageError` for an empty or blank argument; as a path, an empty one would be the current folder."""
    for before, argument in pairwise(["funasr-cli", *arguments]):
        option, _, value = argument.partition("=")
        if not argument.strip() and argument and not os.path.lexists(argument):
            raise UsageError(f"the argument after {printable(before)} is blank: {argument!r}")
        if not argument or (option.startswith("--") and argument != option and not value):
            named = option or (before if before.startswith("-") and before not in ("-", "--") else "")
            what = f"the value of {named} is empty" if named else f"the argument after {printable(before)} is empty"
            raise UsageError(what, hint='Is a shell variable unset, such as "$FOLDER"?')


def _terminate(number: int, _: object) -> None:
    sys.exit(128 + number)
