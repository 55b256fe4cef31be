"""How far the starts of what was recognised right are from where the reference has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from funasr_cli.scoring.align import Alignment
from funasr_cli.scoring.normalise import Units

TOLERANCE_S = 0.12
"""Seconds from the median offset within which a start counts as right."""


@dataclass(frozen=True, slots=True)
class TimeErrors:
    """Of `matched` starts: their median offset, and how far they are from it.

    `median_offset` is hypothesis less reference in seconds. `within` is the share that is at most `TOLERANCE_S` from
    it, `p95` the 95th percentile of the distance from it in seconds.
    """

    matched: int
    median_offset: float
    within: float
    p95: float


def start_offsets(reference: Units, hypothesis: Units, alignment: Alignment) -> NDArray[np.float64]:
    """Hypothesis less reference, in seconds, for each pair of equal units of which both starts are known: `[n]`."""
    offsets: NDArray[np.float64] = hypothesis.starts[alignment.hypothesis] - reference.starts[alignment.reference]
    return offsets[~np.isnan(offsets)]


def time_errors(offsets: NDArray[np.float64]) -> TimeErrors | None:
    """Summary of the offsets `[n]`; None where there are none."""
    if not offsets.size:
        return None
    median = float(np.median(offsets))
    distances = np.abs(offsets - median)
    return TimeErrors(
        offsets.size, median, float(np.mean(distances <= TOLERANCE_S)), float(np.percentile(distances, 95))
    )
