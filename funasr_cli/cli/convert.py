"""`funasr-cli convert`."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from funasr_cli.errors import UsageError

PRECISIONS = ("allow_mix_precision", "allow_fp32_to_fp16", "force_fp16", "must_keep_origin_dtype")


def _gears(_: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
    try:
        gears = tuple(float(part) for part in value.split(",")) if value else ()
    except ValueError:
        raise click.BadParameter(f"{value!r} are no seconds with commas between", param=param) from None
    if any(not 0 < seconds <= 60 for seconds in gears):
        raise click.BadParameter("a gear is longer than 0 and at most 60 seconds", param=param)
    return gears


@click.command(short_help="Compile a model for Ascend NPUs.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="MODEL_DIR")
@click.option(
    "--soc", default="auto", show_default=True, metavar="NAME", help="E.g. Ascend310P3; auto asks npu-smi for it."
)
@click.option(
    "--precision", type=click.Choice(PRECISIONS), default=PRECISIONS[0], show_default=True, help="ATC's precision mode."
)
@click.option(
    "--gears", callback=_gears, metavar="SECONDS,...", help="Lengths of which a window takes the next, e.g. 5,10,15."
)
@click.option("--topk/--logits", default=True, help="End in the best labels, as the folder was made, or in logits.")
@click.option(
    "--host-cpu",
    type=click.Choice(["aarch64", "x86_64"]),
    help="Processor of the machine that will run it, where it is another than this one's.",
)
@click.option("--dry-run", is_flag=True, help="Print the command line of atc, and run nothing.")
@click.option(
    "--check",
    "speech",
    type=click.Path(exists=True, path_type=Path),
    metavar="AUDIO",
    help="Compile nothing: run what was compiled on this machine's NPU, on a recording or a folder of them.",
)
@click.pass_context
def convert(
    context: click.Context,
    folder: Path,
    soc: str,
    precision: str,
    gears: tuple[float, ...],
    topk: bool,
    host_cpu: str | None,
    dry_run: bool,
    speech: Path | None,
) -> None:
    """Compile a model for Ascend NPUs, with CANN's compiler atc.

    MODEL_DIR is a folder that `funasr-cli export` or `freeze` made. The OM is put there, under the name that
    `transcribe --device npu` looks for, and model.yaml notes what it was made from and by. It runs on the SoC that it
    was compiled for; no NPU is needed to compile. Where atc is not on the PATH, CANN's set_env.sh is looked for.

    With --check, all OMs of the folder that fit this machine's NPU are held against the ONNX graphs they were made
    from, on up to 20 windows of speech. What came of it is printed and noted in model.yaml; exit 1 where the best label
    differs in more than 1 % of the frames in which it leads clearly.

    \b
    funasr-cli convert sensevoice-15s
    funasr-cli convert sensevoice-15s --soc Ascend910B2 --dry-run
    funasr-cli convert sensevoice-15s --check meeting.wav
    """
    if speech is not None:
        _check(context, folder, speech)
        return
    from funasr_cli.executors.ascend.toolkit import ask_soc
    from funasr_cli.export import atc

    conversion = atc.plan(
        folder,
        soc=ask_soc() if soc == "auto" else soc,
        precision=precision,
        gears=gears,
        logits=not topk,
        host_cpu=host_cpu,
    )
    if dry_run:
        click.echo(conversion.text)
    else:
        atc.convert(conversion, lambda message: click.echo(message, err=True))


def _check(context: click.Context, folder: Path, speech: Path) -> None:
    meaningless = [
        param.opts[0]
        for param in context.command.params
        if param.name not in ("folder", "speech")
        and context.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    ]
    if meaningless:
        raise UsageError(f"--check compiles nothing, and takes no {', '.join(meaningless)}")
    from funasr_cli.export.check import check_oms

    check_oms(folder, speech, click.echo, lambda message: click.echo(message, err=True))
