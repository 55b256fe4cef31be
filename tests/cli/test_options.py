"""Options, their help and their defaults: each default is defined only once, by its owner."""

from __future__ import annotations

from typing import Any

import click
import pytest

from funasr_cli.batch.options import InputOptions, OutputOptions, ReportOptions, RunOptions
from funasr_cli.cli.options import SETTINGS
from funasr_cli.cli.parameter_types import NumberRange
from funasr_cli.cli.transcribe import run_options, transcribe
from funasr_cli.errors import UsageError
from funasr_cli.outputs.layout import FORMATS
from funasr_cli.outputs.writers import encode
from funasr_cli.settings.transcription import Settings
from tests.outputs.test_writers import PLAIN, TALK


def given(*arguments: str) -> dict[str, Any]:
    """Parse a command line with click."""
    context = transcribe.make_context("transcribe", list(arguments))
    return dict(context.params)


def test_a_bare_command_line_is_a_run_with_nothing_but_defaults() -> None:
    assert run_options(**given("x.wav")) == RunOptions(InputOptions(("x.wav",)))


def test_only_text_goes_to_stdout_by_default() -> None:
    options = run_options(**given("x.wav", "-o", "-"))
    assert options == RunOptions(
        InputOptions(("x.wav",)), OutputOptions(output="-"), settings=Settings(formats=("txt",))
    )


def test_every_option_of_the_command_reaches_the_run() -> None:
    """Every changed option changes the run."""
    other: dict[type[click.ParamType], str] = {click.types.IntRange: "7", NumberRange: "0.2"}
    named = {"ext": "wav", "deadline": "+2h", "formats": "json", "device": "cpu", "numa": "off", "vad_min_silence": "1"}
    named |= {"track": "2", "raw": "s16le:16000:1"}
    default = run_options(**given("x.wav"))
    for param in transcribe.params:
        if not isinstance(param, click.Option) or param.name in ("config", "help"):
            continue
        spelt = param.opts[-1]
        if param.is_flag:
            arguments = [param.secondary_opts[0] if param.secondary_opts else spelt]
        elif isinstance(param.type, click.Choice):
            arguments = [spelt, next(value for value in param.type.choices if value != param.default)]
        else:
            arguments = [spelt, named.get(str(param.name)) or other.get(type(param.type), "other")]
        assert run_options(**given("x.wav", *arguments)) != default, spelt


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "-", "--beside"], "--beside and -o - cannot be combined"),
        (["-o", "-", "--dry-run"], "-o - and --dry-run cannot be combined: each prints to stdout"),
        (["--dry-run", "--json-summary"], "--dry-run and --json-summary cannot be combined: each prints to stdout"),
        (["-o", "-", "-f", "txt,srt"], "only one format can be printed to stdout"),
        (["-", "--beside"], "--beside cannot be used with stdin"),
        (["-q", "-v"], "--quiet and --verbose cannot be combined"),
        (["--list-orphans", "--dry-run"], "--dry-run and --list-orphans cannot be combined: each prints to stdout"),
        (["--list-orphans", "-o", "-"], "-o - and --list-orphans cannot be combined: each prints to stdout"),
    ],
)
def test_what_makes_no_sense_together_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run_options(**given("x.wav", *arguments))


def test_options_of_a_run_are_grouped_as_the_help_is() -> None:
    assert ReportOptions() == run_options(**given("x.wav")).report
    assert len([option for options in SETTINGS.values() for option in options]) == len(transcribe.params) - 1


def test_every_format_has_a_writer() -> None:
    assert all(encode(kind, TALK, PLAIN) for kind in FORMATS)
