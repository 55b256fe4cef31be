"""`funasr-cli config`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from funasr_cli.cli.help import GroupedCommand
from funasr_cli.cli.options import CONFIG, ENVIRONMENT, settings
from funasr_cli.errors import OutputError, UsageError, writing
from funasr_cli.files import printable
from funasr_cli.package_data import configs

FILE = "configuration file"

SOURCES = {
    click.core.ParameterSource.COMMANDLINE: "command line",
    click.core.ParameterSource.ENVIRONMENT: "environment",
    click.core.ParameterSource.DEFAULT_MAP: FILE,
}


@click.group(short_help="Show settings or write a configuration file.")
def config() -> None:
    """Show the settings and where they come from, or write a configuration file."""


@config.command(
    cls=GroupedCommand,
    short_help="Print every setting and its source.",
    context_settings={"auto_envvar_prefix": ENVIRONMENT},
)
@settings
@click.pass_context
def show(context: click.Context, /, **values: Any) -> None:
    """Print every setting with its value and where it comes from.

    Takes the same options as `transcribe`.
    """
    order = [param.name for param in context.command.params if param.name in values]
    shown = {str(name): _shown(values[str(name)]) for name in order}
    names, width = max(map(len, shown)), max(map(len, shown.values()))
    for name, value in shown.items():
        source = SOURCES.get(context.get_parameter_source(name), "default")  # type: ignore[arg-type]
        if source == FILE:
            source = f"{FILE} {printable(context.meta[CONFIG])}"
        click.echo(f"{name:{names}}  {value:{width}}  {source}")


@config.command(short_help="Write a commented configuration file.")
@click.argument("file", metavar="[FILE|-]", default="funasr-cli.yaml", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(list(configs())),
    default="default",
    show_default=True,
    help="File to write: `default` lists every setting with its default value; the others hold the few settings of a "
    "nightly run on that kind of machine.",
)
def init(file: Path, template: str) -> None:
    """Write a commented configuration file to FILE, by default ./funasr-cli.yaml, or to stdout if FILE is -.

    An existing file is not overwritten.

    \b
    funasr-cli config init
    funasr-cli transcribe ./meetings --config funasr-cli.yaml
    """
    content = configs()[template].read_bytes()
    if file == Path("-"):
        click.echo(content, nl=False)
        return
    with writing(file, OutputError):
        try:
            with file.open("xb") as new:
                new.write(content)
        except FileExistsError:
            raise UsageError("already exists", where=file, hint="Choose another name, or - to print it.") from None
    click.echo(f"written: {printable(file)}; use it with --config or FUNASR_CLI_CONFIG", err=True)


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
