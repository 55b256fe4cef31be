"""Compare two results for the same references, and how certain it is that one is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from funasr_cli.scoring.bootstrap import interval
from funasr_cli.scoring.score import CorpusScore, FileScore


@dataclass(frozen=True, slots=True)
class Difference:
    """A result's value minus the baseline's, and its 95 % interval; None for the interval with fewer than two files."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences of the error rate, of hotword recall (as fractions) and of the number of false insertions.

    They cover the `files` that both results have. None if the divisor is 0 or no hotwords were counted.
    """

    files: int
    rate: Difference | None
    recall: Difference | None
    false: Difference | None


def compare(score: CorpusScore, baseline: CorpusScore) -> Comparison:
    """Compare `score` with `baseline`, both for the same references, with the same metric and hotwords.

    The bootstrap draws a file with both its results, so that files that are hard for both do not blur the difference.
    """
    others = {file.name: file for file in baseline.files}
    pairs = [(file, others[file.name]) for file in score.files if file.name in others]

    def difference(value: Callable[[FileScore], float], size: Callable[[FileScore], float]) -> Difference | None:
        """Compare the sums of `value` over the sums of `size`, which is the same for both results."""
        changes = np.array([value(file) - value(other) for file, other in pairs])
        sizes = np.array([size(file) for file, _ in pairs])
        return Difference(float(changes.sum() / sizes.sum()), interval(changes, sizes)) if sizes.any() else None

    rate = difference(lambda file: file.counts.errors, lambda file: file.counts.reference)
    if score.hotwords is None:
        return Comparison(len(pairs), rate, None, None)
    return Comparison(
        len(pairs),
        rate,
        difference(lambda file: file.hotwords.total.recognised, lambda file: file.hotwords.total.reference),
        difference(lambda file: file.hotwords.total.false, lambda file: 1 / len(pairs)),
    )
