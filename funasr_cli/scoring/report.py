"""A score as a person and as a program read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from funasr_cli.files import shown
from funasr_cli.scoring.align import Counts
from funasr_cli.scoring.normalise import NORMALISATION, UNITS
from funasr_cli.scoring.score import CorpusScore
from funasr_cli.scoring.times import TOLERANCE, TimeErrors

UNIT_NAMES = {"cer": "characters", "wer": "words"}


def as_json(score: CorpusScore) -> str:
    """Everything, as one object: rates as fractions, times in seconds, files worst first.

    ASCII alone, so that it is UTF-8 in any locale.
    """
    document: dict[str, Any] = {
        "metric": score.metric,
        "units": UNITS[score.metric],
        "normalisation": NORMALISATION,
        **_counts(score.counts),
        "interval": None if score.interval is None else [round(bound, 6) for bound in score.interval],
        "times": _times(score.times),
        "files": [
            {
                "name": shown(file.name),
                **_counts(file.counts),
                "missing": file.missing,
                "times": _times(file.times),
            }
            for file in score.files
        ],
        "without_reference": [shown(path) for path in score.without_reference],
        "failed": [{"path": shown(error.where or ""), "error": error.what} for error in score.failed],
    }
    return json.dumps(document, indent=1)


def _counts(counts: Counts) -> dict[str, float | None]:
    return {
        "rate": None if counts.rate is None else round(counts.rate, 6),
        "errors": counts.errors,
        "substitutions": counts.substitutions,
        "deletions": counts.deletions,
        "insertions": counts.insertions,
        "reference": counts.reference,
    }


def _times(times: TimeErrors | None) -> dict[str, float] | None:
    if times is None:
        return None
    return {
        "matched": times.matched,
        "median_offset": round(times.median_offset, 4),
        f"within_{TOLERANCE * 1000:.0f}ms": round(times.within, 6),
        "p95": round(times.p95, 4),
    }


def as_text(score: CorpusScore, worst: int) -> str:
    """The overall figures, and a table of the `worst` files."""
    return "\n".join([_headline(score), "", *_table(score, worst), "", *_footnotes(score)])


def _headline(score: CorpusScore) -> str:
    name = score.metric.upper()
    if score.counts.rate is None:
        return f"{name} unknown: there are no {UNIT_NAMES[score.metric]} in the references"
    if score.interval is None:
        return f"{name} {score.counts.rate:.2%}, without an interval: that takes two files"
    low, high = score.interval
    files = len(score.files)
    return f"{name} {score.counts.rate:.2%}, 95 % interval {low:.2%} to {high:.2%} (bootstrap over {files} files)"


def _table(score: CorpusScore, worst: int) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        (score.metric.upper(), "errors", "subst.", "del.", "ins.", UNIT_NAMES[score.metric], "file"),
        _row(score.counts, "total"),
    ]
    for file in score.files[:worst]:
        rows.append(_row(file.counts, shown(file.name) + (" (no hypothesis)" if file.missing else "")))
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for *numbers, name in rows:
        yield "  ".join([*map(str.rjust, numbers, widths), name])
    if len(score.files) > worst:
        yield f"{len(score.files) - worst} more, none of them worse, are not listed."


def _row(counts: Counts, name: str) -> tuple[str, ...]:
    numbers = (counts.errors, counts.substitutions, counts.deletions, counts.insertions, counts.reference)
    return ("-" if counts.rate is None else f"{counts.rate:.2%}", *map(str, numbers), name)


def _footnotes(score: CorpusScore) -> Iterator[str]:
    times = score.times
    if times is not None:
        yield (
            f"Starts of {times.matched} matched {UNIT_NAMES[score.metric]}: median offset "
            f"{times.median_offset * 1000:+.0f} ms; {times.within:.1%} within {TOLERANCE * 1000:.0f} ms of it; "
            f"95th percentile {times.p95 * 1000:.0f} ms from it"
        )
    yield f"Units: {UNITS[score.metric]}"
    yield f"Normalisation: {NORMALISATION}"
