"""`funasr-cli export` and `funasr-cli freeze`: two ways to make the same kind of folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from funasr_cli.cli.completion import FOLDERS
from funasr_cli.cli.parameter_types import NumberRange
from funasr_cli.errors import ModelError
from funasr_cli.extras import need

Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _options(command: Command) -> Command:
    for option in (
        click.option("--int8", is_flag=True, help="Also write an 8-bit graph for CPUs; it takes one clip at a time."),
        click.option("--topk", type=click.IntRange(0), default=32, show_default=True, metavar="K",
                     help="Number of best labels per frame that the static graph returns; 0 returns all logits."),
        click.option("--window", type=NumberRange(1, 60), default=15.0, show_default=True, metavar="SECONDS",
                     help="Length of the audio window that the static graph takes."),
        click.option("-o", "--output", required=True, metavar="DIR", shell_complete=FOLDERS,
                     help="Folder to create; it must not exist."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command(short_help="Export graphs from a FunASR checkpoint.")
@click.argument("checkpoint", type=FOLDER, metavar="CHECKPOINT_DIR")
@_options
def export(checkpoint: Path, output: str, window: float, topk: int, int8: bool) -> None:
    """Export ONNX graphs from a FunASR checkpoint (config.yaml, model.pt, am.mvn, tokens.json), with torch and funasr.

    Writes to DIR a static graph for NPU compilers, a graph with free dimensions for CPUs, and model.yaml, which
    records how both were made. DIR can be used as a --model. Needs the extra [export]; in a checkout: pip install
    '.[export]'

    \b
    funasr-cli export ./SenseVoiceSmall -o sensevoice-15s
    """
    for name in ("config.yaml", "model.pt"):
        if not (checkpoint / name).is_file():
            hint = "A FunASR checkpoint is a folder that contains config.yaml, model.pt, am.mvn and tokens.json."
            raise ModelError(f"has no {name}", where=checkpoint, hint=hint)
    need("export", "torch", "funasr", "onnx")
    from funasr_cli.export.make import from_checkpoint

    from_checkpoint(checkpoint, Path(output), window=window, topk=topk, int8=int8, tell=_tell)


@click.command(short_help="Make a static graph from a published ONNX graph.")
@click.argument("graph", type=FILE, metavar="MODEL.onnx")
@_options
def freeze(graph: Path, output: str, window: float, topk: int, int8: bool) -> None:
    """Make a static graph from a published ONNX graph (FunASR's or sherpa-onnx's), without torch.

    Vocabulary and feature statistics are read from the folder of MODEL.onnx. DIR gets the same files as with `export`.
    Needs the extra [freeze]; in a checkout: pip install '.[freeze]'

    \b
    funasr-cli freeze ./SenseVoiceSmall-onnx/model.onnx -o sensevoice-15s
    """
    from funasr_cli.export.make import from_graph

    from_graph(graph, Path(output), window=window, topk=topk, int8=int8, tell=_tell)


def _tell(message: str) -> None:
    click.echo(message, err=True)
