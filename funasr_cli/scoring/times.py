"""Time errors: how far the starts of correctly recognised units are from those in the reference."""

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
    """Time errors of `matched` starts: their median offset, and their distances from it.

    `median_offset` is hypothesis minus reference in seconds. `within` is the share that is at most `TOLERANCE_S` from
    it, `p95` the 95th percentile of the distance from it in seconds.
    """

    matched: int
    median_offset: float
    within: float
    p95: float


def start_offsets(reference: Units, hypothesis: Units, alignment: Alignment) -> NDArray[np.float64]:
    """Return hypothesis minus reference, in seconds, for each pair of equal units with both starts known: `[n]`."""
    offsets: NDArray[np.float64] = hypothesis.starts[alignment.hypothesis] - reference.starts[alignment.reference]
    return offsets[~np.isnan(offsets)]


def time_errors(offsets: NDArray[np.float64]) -> TimeErrors | None:
    """Summarise the offsets `[n]`; None if there are none."""
    if not offsets.size:
        return None
    median = float(np.median(offsets))
    distances = np.abs(offsets - median)
    return TimeErrors(
        offsets.size, median, float(np.mean(distances <= TOLERANCE_S)), float(np.percentile(distances, 95))
    )
