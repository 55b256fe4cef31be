"""How certain an error rate is: a bootstrap over files.

Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004: files are
drawn with replacement, as many as there are, and the rate of each draw is its errors over its reference length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 10_000
SEED = 20_040_517
CHUNK_DRAWS = 1 << 20
"""Files drawn in one step; bounds the memory."""


def drawn_rates(errors: ArrayLike, lengths: ArrayLike) -> NDArray[np.float64]:
    """Compute the error rates of `DRAWS` draws from files with these `errors` and reference `lengths`, both `[n]`.

    The same numbers always give the same rates. Draws without any reference have no rate and are left out.
    """
    errors, lengths = np.asarray(errors), np.asarray(lengths)
    rng = np.random.default_rng(SEED)
    rows = max(1, CHUNK_DRAWS // len(errors))
    sums = []
    for done in range(0, DRAWS, rows):
        files = rng.integers(len(errors), size=(min(rows, DRAWS - done), len(errors)))
        sums.append((errors[files].sum(axis=1), lengths[files].sum(axis=1)))
    drawn_errors, drawn_lengths = np.concatenate(sums, axis=1)
    usable = drawn_lengths > 0
    rates: NDArray[np.float64] = drawn_errors[usable] / drawn_lengths[usable]
    return rates


def interval(errors: ArrayLike, lengths: ArrayLike) -> tuple[float, float] | None:
    """Return the central 95 % of the error rate; None if fewer than two files have a reference."""
    if np.count_nonzero(np.asarray(lengths)) < 2:
        return None
    low, high = np.percentile(drawn_rates(errors, lengths), [2.5, 97.5])
    return float(low), float(high)
