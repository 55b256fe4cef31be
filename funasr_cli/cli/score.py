"""`funasr-cli score`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from funasr_cli import exit_codes
from funasr_cli.cli.hotword_file import HotwordFile

EXISTING = click.Path(exists=True, path_type=Path)


@click.command(short_help="Compare transcripts with references.")
@click.argument("hypothesis", metavar="HYP", type=EXISTING)
@click.argument("reference", metavar="REF", type=EXISTING)
@click.option(
    "--metric",
    type=click.Choice(["auto", "cer", "wer"]),
    default="auto",
    show_default=True,
    help="Character or word error rate; auto is cer if the references are mostly in a script without spaces, such as "
    "Chinese or Japanese.",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    metavar="N",
    help="List the N files with the highest error rates.",
)
@click.option(
    "--hotwords",
    multiple=True,
    metavar="NAME|FILE",
    type=HotwordFile(),
    help="Also count how many of these words were recognised, missed or falsely inserted. A built-in list or a file. "
    "Can be given several times.",
)
@click.option(
    "--baseline",
    metavar="HYP",
    type=EXISTING,
    help="Another result for the same references; report how HYP differs from it.",
)
@click.option("--json", "as_object", is_flag=True, help="Print the results, including every file, as one JSON object.")
def score(
    hypothesis: Path,
    reference: Path,
    metric: Literal["auto", "cer", "wer"],
    worst: int,
    hotwords: tuple[Path, ...],
    baseline: Path | None,
    as_object: bool,
) -> None:
    """Compare transcripts with references: error rates and timing errors.

    HYP and REF are two files or two folders. Files in folders are paired by path without the extension. If a name
    exists in several formats, the first of json, tsv, srt, vtt, txt is used. A reference without a hypothesis counts
    as all deletions. A hypothesis without a reference is ignored.

    \b
    funasr-cli score transcripts references
    funasr-cli score talk.srt talk-reference.txt --metric cer

    Texts are first normalised: Unicode NFKC, case folding, and no punctuation or symbols. Removing an apostrophe joins
    the parts around it; removing anything else separates words. Numbers and simplified or traditional script are left
    as written. CER compares characters without white space. WER compares words separated by spaces; in scripts without
    spaces, each character is a word. The rate is the number of substitutions, deletions and insertions divided by the
    length of all references. Its 95 % interval is a bootstrap over files.

    If both sides have times, the start times of matching characters or words are compared: of tokens in JSON, of lines
    in other formats. The rows of a TSV file are start, end and text. Times are in milliseconds, or in seconds if any
    of them has a decimal point. JSON may also be {"words": [{"text", "start"}]}, in seconds.

    With --hotwords, occurrences of these words are compared, in the same normalised text. Recall is the share of
    occurrences in REF that HYP has at the aligned position; precision is the share of occurrences in HYP that REF has
    there. Occurrences in HYP that REF does not have are false; words that occur in no reference are also counted
    separately. A word inside a longer word of the list is not counted: 一带一路 is one occurrence even if 一带 is
    listed. In scripts with spaces only whole words count: art is not found in party.

    \b
    funasr-cli score with-hotwords references --hotwords gov --baseline without

    The 95 % intervals of differences from a baseline are a paired bootstrap: each file is drawn with both results.

    Exit codes: 0 done; 1 some files could not be read, the others are compared; 2 wrong usage or nothing to compare.
    """
    from funasr_cli.hotwords import read_hotwords
    from funasr_cli.package_data import which_are_taken
    from funasr_cli.scoring.compare import compare  # loads NumPy and rapidfuzz, which --help does not need
    from funasr_cli.scoring.pairs import pair
    from funasr_cli.scoring.report import as_json, as_text, remarks
    from funasr_cli.scoring.score import score as score_files

    for sentence in which_are_taken(hotwords):
        click.echo(sentence, err=True)
    listed = read_hotwords(hotwords)
    for warning in listed.warnings:
        click.echo(f"warning: {warning}", err=True)
    words = [word.text for word in listed.words]
    result = score_files(pair(hypothesis, reference), None if metric == "auto" else metric, words)
    told, failed, comparison = list(remarks(result)), len(result.failed), None
    if baseline is not None:
        other = score_files(pair(baseline, reference), result.metric, words)
        comparison = compare(result, other)
        told += [f"baseline: {remark}" for remark in remarks(other)]
        failed += len(other.failed)
    for remark in told:
        click.echo(remark, err=True)
    click.echo(as_json(result, comparison) if as_object else as_text(result, worst, comparison))
    sys.exit(exit_codes.FAILED if failed else 0)
