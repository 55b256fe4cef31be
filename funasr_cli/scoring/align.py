"""Alignment with the fewest edits, and the counts of edits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of the edits that turn a reference of `reference` units into a hypothesis."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference: int = 0

    @property
    def errors(self) -> int:
        """The number of all edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Errors per unit of the reference: the CER or WER. May exceed 1; None for an empty reference."""
        return self.errors / self.reference if self.reference else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference + other.reference,
        )


@dataclass(frozen=True, slots=True)
class Alignment:
    """Counts, and the indices of equal, aligned units: `reference` and `hypothesis`, int `[n]` each."""

    counts: Counts
    reference: NDArray[np.intp]
    hypothesis: NDArray[np.intp]


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> Alignment:
    """Align by Levenshtein distance, every edit costing 1.

    The number of edits is the minimum. Several alignments may reach it and one of them is taken, so the split into
    substitutions, deletions and insertions is not unique. Time is quadratic in theory, memory linear (Hyyrö,
    Stringology 2004; Hirschberg, CACM 18, 1975).
    """
    # The hint sets the first width of the band that is searched: without it, the whole matrix is computed.
    edits = Levenshtein.editops(reference, hypothesis, score_hint=len(reference) // 100)
    kinds = Counter(edit.tag for edit in edits)
    blocks = edits.as_matching_blocks()
    return Alignment(
        Counts(kinds["replace"], kinds["delete"], kinds["insert"], len(reference)),
        _indices([(block.a, block.size) for block in blocks]),
        _indices([(block.b, block.size) for block in blocks]),
    )


def _indices(runs: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    """Return all indices of runs, each given by its first index and length."""
    return np.concatenate([np.arange(first, first + size, dtype=np.intp) for first, size in runs])
