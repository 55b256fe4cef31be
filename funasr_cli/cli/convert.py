"""`funasr-cli convert`."""

from __future__ import annotations

from pathlib import Path

import click

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
def convert(
    folder: Path, soc: str, precision: str, gears: tuple[float, ...], topk: bool, host_cpu: str | None, dry_run: bool
) -> None:
    """Compile a model for Ascend NPUs, with CANN's compiler atc.

    MODEL_DIR is a folder that `funasr-cli export` or `freeze` made. The OM is put there, under the name that
    `transcribe --device npu` looks for, and model.yaml notes what it was made from and by. It runs on the SoC that it
    was compiled for; no NPU is needed to compile. Where atc is not on the PATH, CANN's set_env.sh is looked for.

    \b
    funasr-cli convert sensevoice-15s
    funasr-cli convert sensevoice-15s --soc Ascend910B2 --dry-run
    """
    from funasr_cli.export import atc
    from funasr_cli.export.cann import ask_soc

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
