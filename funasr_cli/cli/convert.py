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
        raise click.BadParameter(f"{value!r} is not a comma-separated list of seconds", param=param) from None
    if any(not 0 < seconds <= 60 for seconds in gears):
        raise click.BadParameter("each gear must be longer than 0 and at most 60 seconds", param=param)
    return gears


@click.command(short_help="Compile a model for Ascend NPUs.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="MODEL_DIR")
@click.option(
    "--soc",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="SoC to compile for, e.g. Ascend310P3; auto asks npu-smi which one this machine has.",
)
@click.option(
    "--precision", type=click.Choice(PRECISIONS), default=PRECISIONS[0], show_default=True, help="ATC's precision mode."
)
@click.option(
    "--gears",
    callback=_gears,
    metavar="SECONDS,...",
    help="Window lengths to compile for, e.g. 5,10,15; each window uses the shortest that fits.",
)
@click.option(
    "--topk/--logits",
    default=True,
    help="Output only the best labels of each frame, if the folder was made that way (the default), or all logits.",
)
@click.option(
    "--host-cpu",
    type=click.Choice(["aarch64", "x86_64"]),
    help="Processor of the machine that will run the model, if it differs from this one's.",
)
@click.option("--dry-run", is_flag=True, help="Print the atc command line and exit.")
@click.option(
    "--check",
    "speech",
    type=click.Path(exists=True, path_type=Path),
    metavar="AUDIO",
    help="Compile nothing; instead check the compiled models on this machine's NPU, with this recording or folder of "
    "recordings.",
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

    MODEL_DIR is a folder made by `funasr-cli export` or `freeze`. The compiled model (OM) is written there, under the
    name that `transcribe --device npu` looks for; model.yaml records its source and the tools. An OM runs only on the
    SoC it was compiled for. Compiling needs no NPU. If atc is not on the PATH, CANN's set_env.sh is looked for.

    --check compares every OM in the folder that fits this machine's NPU with the ONNX graph it was compiled from, on
    up to 20 windows of speech. The results are printed and recorded in model.yaml. The exit code is 1 if the best
    label differs in more than 1 % of the frames in which it leads clearly.

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
        raise UsageError(f"--check compiles nothing and cannot be combined with {', '.join(meaningless)}")
    from funasr_cli.export.check import check_oms

    check_oms(folder, speech, click.echo, lambda message: click.echo(message, err=True))
