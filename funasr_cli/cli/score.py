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
@click.option(
    "--hotwords",
    multiple=True,
    metavar="NAME|FILE",
    type=HotwordFile(),
    help="Count how many of these words were recognised, and how many were not said: a list that ships or a file; can "
    "be given several times.",
)
@click.option(
    "--baseline",
    metavar="HYP",
    type=EXISTING,
    help="Another result for the same references: tell by how much HYP differs from it.",
)
@click.option("--json", "as_object", is_flag=True, help="Print everything, every file included, as one JSON object.")
def score(
    hypothesis: Path,
    reference: Path,
    metric: Literal["auto", "cer", "wer"],
    worst: int,
    hotwords: tuple[Path, ...],
    baseline: Path | None,
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

    With --hotwords, the occurrences of these words are compared in the same normalised characters. Recall is the share
    of the reference's that HYP has at the aligned place, precision the share of HYP's that the reference has there. The
    others are false; words that are in none of the references are counted by themselves too. Within a longer word of
    the list a word does not count: 一带一路 is one occurrence, also where 一带 is listed. A word with spaces around it
    counts as a whole: art is not in party.

    \b
    funasr-cli score with-hotwords references --hotwords gov --baseline without

    The 95 % intervals of differences from a baseline are a bootstrap over pairs: each file is drawn with both results.

    Exit codes: 0 done; 1 some files could not be read, the others are compared; 2 wrong usage, nothing to compare.
    """
    from funasr_cli.hotwords import read_hotwords
    from funasr_cli.package_data import which_are_taken
    from funasr_cli.scoring.compare import compare  # NumPy and rapidfuzz are loaded here, not for --help
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
