"""`funasr-cli score`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from funasr_cli.files import shown

EXISTING = click.Path(exists=True, path_type=Path)


@click.command(short_help="Compare transcripts with references.")
@click.argument("hypothesis", metavar="HYP", type=EXISTING)
@click.argument("reference", metavar="REF", type=EXISTING)
@click.option(
    "--metric",
    type=click.Choice(["auto", "cer", "wer"]),
    default="auto",
    show_default=True,
    help="Character or word error rate; auto is cer where the references are mostly Chinese or Japanese "
    "or otherwise without spaces.",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    metavar="N",
    help="List the N files with the highest rates.",
)
@click.option("--json", "as_object", is_flag=True, help="Print everything, every file included, as one JSON object.")
def score(
    hypothesis: Path,
    reference: Path,
    metric: Literal["auto", "cer", "wer"],
    worst: int,
    as_object: bool,
) -> None:
    """Compare transcripts with references: error rates, and errors of time.

    HYP and REF are two files or two folders. Files in folders are paired by their path without its extension; of
    several formats of one name the one that tells most is taken: json, tsv, srt, vtt, txt. A reference without a
    hypothesis counts as all deleted. A hypothesis without a reference is not counted.

    \b
    funasr-cli score transcripts references
    funasr-cli score talk.srt talk-reference.txt --metric cer

    Before they are compared, texts are put into Unicode NFKC and case folded, and punctuation and symbols are removed;
    an apostrophe joins what is around it, anything else parts words. Numbers and simplified or traditional script stay
    as they are written. CER compares characters without white space; WER compares words between spaces, and in scripts
    without spaces each character by itself. The rate is the sum of substitutions, deletions and insertions over that of
    the reference lengths. Its 95 % interval is a bootstrap over files.

    Where both sides have times, the starts of matched characters or words are compared: of tokens in JSON, of lines in
    other formats. A TSV has start, end and text in its rows: in milliseconds, or in seconds where any time has a
    decimal point. JSON also comes as {"words": [{"text", "start"}]}, in seconds.

    Exit codes: 0 done; 1 some files could not be read, the others are compared; 2 wrong usage, nothing to compare.
    """
    from funasr_cli.scoring.pairs import pair  # NumPy and rapidfuzz are loaded here, not for --help
    from funasr_cli.scoring.report import as_json, as_text
    from funasr_cli.scoring.score import score as compare

    result = compare(pair(hypothesis, reference), None if metric == "auto" else metric)
    for error in result.failed:
        click.echo(f"failed: {error}", err=True)
    for file in result.files:
        if file.missing:
            click.echo(f"no hypothesis, counted as all deleted: {shown(file.name)}", err=True)
    for path in result.without_reference:
        click.echo(f"no reference, not counted: {shown(path)}", err=True)
    click.echo(as_json(result) if as_object else as_text(result, worst))
    sys.exit(1 if result.failed else 0)
