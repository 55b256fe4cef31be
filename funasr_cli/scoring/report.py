"""Format a score for people (text) and programs (JSON)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from funasr_cli.files import printable
from funasr_cli.json_paths import json_for_stdout, path_fields, path_list_fields
from funasr_cli.scoring.align import Counts
from funasr_cli.scoring.compare import Comparison, Difference
from funasr_cli.scoring.hotword_recall import HotwordCounts, HotwordScore
from funasr_cli.scoring.normalise import NORMALISATION, UNITS
from funasr_cli.scoring.score import CorpusScore
from funasr_cli.scoring.times import TOLERANCE_S, TimeErrors

UNIT_NAMES = {"cer": "characters", "wer": "words"}


def remarks(score: CorpusScore) -> Iterator[str]:
    """Yield a line for each file that could not be compared properly."""
    for error in score.failed:
        yield f"failed: {error}"
    for warning in score.warnings:
        yield f"warning: {warning}"
    for file in score.files:
        if file.missing:
            yield f"no hypothesis, all of it counted as deleted: {printable(file.name)}"
    for path in score.without_reference:
        yield f"no reference, not counted: {printable(path)}"


def as_json(score: CorpusScore, comparison: Comparison | None = None) -> str:
    """Return the whole score as a JSON object: rates as fractions, times in seconds, worst files and hotwords first."""
    document: dict[str, Any] = {
        "metric": score.metric,
        "units": UNITS[score.metric],
        "normalisation": NORMALISATION,
        **_counts(score.counts),
        "interval": _bounds(score.interval),
        "times": _times(score.times),
        "hotwords": None if score.hotwords is None else _hotwords(score.hotwords, score.recall_interval),
        "against_baseline": None if comparison is None else _comparison(comparison),
        "files": [
            {
                **path_fields("name", file.name),
                **_counts(file.counts),
                "missing": file.missing,
                "times": _times(file.times),
                "hotwords": None if score.hotwords is None else _occurrences(file.hotwords.total),
            }
            for file in score.files
        ],
        **path_list_fields("without_reference", score.without_reference),
        "failed": [{**path_fields("path", error.where or ""), "error": error.what} for error in score.failed],
    }
    return json_for_stdout(document, indent=1)


def _counts(counts: Counts) -> dict[str, float | None]:
    return {
        "rate": None if counts.rate is None else round(counts.rate, 6),
        "errors": counts.errors,
        "substitutions": counts.substitutions,
        "deletions": counts.deletions,
        "insertions": counts.insertions,
        "reference": counts.reference,
    }


def _bounds(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(bound, 6) for bound in interval]


def _occurrences(counts: HotwordCounts) -> dict[str, int]:
    return {
        "reference": counts.reference,
        "recognised": counts.recognised,
        "hypothesis": counts.hypothesis,
        "false_insertions": counts.false,
    }


def _hotwords(score: HotwordScore, interval: tuple[float, float] | None) -> dict[str, Any]:
    total = score.total
    by_missed = sorted(score.words.items(), key=lambda item: (-item[1].missed, -item[1].false, item[0]))
    return {
        "recall": None if total.recall is None else round(total.recall, 6),
        "interval": _bounds(interval),
        "precision": None if total.precision is None else round(total.precision, 6),
        **_occurrences(total),
        "false_insertions_of_absent_words": score.false_of_absent,
        "words": [{"word": word, **_occurrences(counts)} for word, counts in by_missed],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "files": comparison.files,
        "rate": _difference(comparison.rate),
        "hotword_recall": _difference(comparison.recall),
        "false_insertions": _difference(comparison.false),
    }


def _difference(difference: Difference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    return {"difference": round(difference.value, 6), "interval": _bounds(difference.interval)}


def _times(times: TimeErrors | None) -> dict[str, float] | None:
    if times is None:
        return None
    return {
        "matched": times.matched,
        "median_offset": round(times.median_offset, 4),
        f"within_{TOLERANCE_S * 1000:.0f}ms": round(times.within, 6),
        "p95": round(times.p95, 4),
    }


def as_text(score: CorpusScore, worst: int, comparison: Comparison | None = None) -> str:
    """Return the overall figures, and a table of the `worst` files."""
    lines = [_headline(score)]
    if score.hotwords is not None:
        lines.append(_hotword_line(score.hotwords, score.recall_interval))
    if comparison is not None:
        lines += _comparison_lines(comparison, score.metric.upper())
    return "\n".join([*lines, "", *_table(score, worst), "", *_footnotes(score)])


def _headline(score: CorpusScore) -> str:
    name = score.metric.upper()
    if score.failed and not score.files:
        count = len(score.failed)
        return f"{name} unknown: {f'none of {count} pairs could' if count > 1 else 'the pair could not'} be read"
    if score.counts.rate is None:
        return f"{name} unknown: the references have no {UNIT_NAMES[score.metric]}"
    if score.interval is None:
        return f"{name} {score.counts.rate:.2%}, no interval (needs two or more files)"
    low, high = score.interval
    files = len(score.files)
    return f"{name} {score.counts.rate:.2%}, 95 % interval {low:.2%} to {high:.2%} (bootstrap over {files} files)"


def _hotword_line(score: HotwordScore, interval: tuple[float, float] | None) -> str:
    total = score.total
    if total.recall is None:
        recall = "Hotwords: none in the references"
    else:
        recall = f"Hotwords: {total.recall:.2%} of {total.reference} occurrences recognised"
    if interval is not None:
        recall += f", 95 % interval {interval[0]:.2%} to {interval[1]:.2%}"
    precision = "" if total.precision is None else f"precision {total.precision:.2%}; "
    return f"{recall}; {precision}{total.false} false, {score.false_of_absent} of them words in no reference"


def _comparison_lines(comparison: Comparison, rate: str) -> Iterator[str]:
    yield f"Difference from the baseline, over {comparison.files} file{'s' * (comparison.files != 1)}:"
    for name, difference, factor, form in (
        (rate, comparison.rate, 100, "+.2f"),
        ("hotword recall", comparison.recall, 100, "+.2f"),
        ("false hotwords", comparison.false, 1, "+.0f"),
    ):
        if difference is None:
            continue
        unit = " points" if factor == 100 else ""
        line = f"  {name} {difference.value * factor:{form}}{unit}"
        if difference.interval is not None:
            low, high = (f"{bound * factor:{form}}" for bound in difference.interval)
            line += f", 95 % interval {low} to {high}"
        yield line


def _table(score: CorpusScore, worst: int) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        (score.metric.upper(), "errors", "subst.", "del.", "ins.", UNIT_NAMES[score.metric], "file"),
        _row(score.counts, "total"),
    ]
    for file in score.files[:worst]:
        rows.append(_row(file.counts, printable(file.name) + (" (no hypothesis)" if file.missing else "")))
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for *numbers, name in rows:
        yield "  ".join([*map(str.rjust, numbers, widths), name])
    if len(score.files) > worst:
        yield f"Not listed: {len(score.files) - worst} more, none of them worse."


def _row(counts: Counts, name: str) -> tuple[str, ...]:
    numbers = (counts.errors, counts.substitutions, counts.deletions, counts.insertions, counts.reference)
    return ("-" if counts.rate is None else f"{counts.rate:.2%}", *map(str, numbers), name)


def _footnotes(score: CorpusScore) -> Iterator[str]:
    times = score.times
    if times is not None:
        yield (
            f"Starts of {times.matched} matched {UNIT_NAMES[score.metric]}: median offset "
            f"{times.median_offset * 1000:+.0f} ms; {times.within:.1%} within {TOLERANCE_S * 1000:.0f} ms of it; "
            f"95th percentile {times.p95 * 1000:.0f} ms from it"
        )
    yield f"Units: {UNITS[score.metric]}"
    yield f"Normalisation: {NORMALISATION}"
