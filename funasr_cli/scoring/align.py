"""The alignment with the fewest edits, and what it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True, slots=True)
class Counts:
    """Edits that turn a reference of `reference` units into a hypothesis."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference: int = 0

    @property
    def errors(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Errors a unit of the reference: the CER or WER. More than 1 is possible; None for an empty reference."""
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
    """Counts, and the indices of units that are equal and aligned: `reference` and `hypothesis`, int `[n]` each."""

    counts: Counts
    reference: NDArray[np.intp]
    hypothesis: NDArray[np.intp]


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> Alignment:
    """Align by Levenshtein distance, every edit costing 1.

    The number of edits is the least possible; of several alignments that have it, one is taken, so how it divides into
    substitutions, deletions and insertions is not unique. Time is quadratic in theory, memory linear (Hyyrö,
    Stringology 2004; Hirschberg, CACM 18, 1975).
    """
    # The hint is where a search for a band that is wide enough begins: without it, all of the matrix is computed.
    edits = Levenshtein.editops(reference, hypothesis, score_hint=len(reference) // 100)
    kinds = Counter(edit.tag for edit in edits)
    blocks = edits.as_matching_blocks()
    return Alignment(
        Counts(kinds["replace"], kinds["delete"], kinds["insert"], len(reference)),
        _indices([(block.a, block.size) for block in blocks]),
        _indices([(block.b, block.size) for block in blocks]),
    )


def _indices(runs: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    """All indices of runs, each a first index and a length."""
    return np.concatenate([np.arange(first, first + size, dtype=np.intp) for first, size in runs])
