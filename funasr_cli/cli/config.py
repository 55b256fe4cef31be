"""`funasr-cli config`."""

from __future__ import annotations

from typing import Any

import click

from funasr_cli.cli.help import GroupedCommand
from funasr_cli.cli.options import CONFIG, ENVIRONMENT, settings
from funasr_cli.files import printable as shown_path

FILE = "configuration file"

SOURCES = {
    click.core.ParameterSource.COMMANDLINE: "command line",
    click.core.ParameterSource.ENVIRONMENT: "environment",
    click.core.ParameterSource.DEFAULT_MAP: FILE,
}


@click.group(short_help="Show the settings and where they come from.")
def config() -> None:
    """Settings, and where they come from."""


@config.command(
    cls=GroupedCommand,
    short_help="Print every setting and its source.",
    context_settings={"auto_envvar_prefix": ENVIRONMENT},
)
@settings
@click.pass_context
def show(context: click.Context, /, **values: Any) -> None:
    """Print every setting, its value and where it came from, with the same options as `transcribe`."""
    order = [param.name for param in context.command.params if param.name in values]
    shown = {str(name): _shown(values[str(name)]) for name in order}
    names, width = max(map(len, shown)), max(map(len, shown.values()))
    for name, value in shown.items():
        source = SOURCES.get(context.get_parameter_source(name), "default")  # type: ignore[arg-type]
        if source == FILE:
            source = f"{FILE} {shown_path(context.meta[CONFIG])}"
        click.echo(f"{name:{names}}  {value:{width}}  {source}")


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
