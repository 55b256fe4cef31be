"""The alignment has the fewest edits, and lists the units that are equal and aligned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.scoring.align import Counts, align


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("今天天气好", "今天天气好", Counts(0, 0, 0, 5)),
        ("今天下午天气好", "今夭下天气很好", Counts(1, 1, 1, 7)),
        ("abc", "", Counts(0, 3, 0, 3)),
        ("", "abc", Counts(0, 0, 3, 0)),
        ("", "", Counts(0, 0, 0, 0)),
        (["state", "of", "art"], ["stage", "of", "the", "art"], Counts(1, 0, 1, 3)),
    ],
)
def test_edits_are_counted_by_kind(reference: str | list[str], hypothesis: str | list[str], expected: Counts) -> None:
    assert align(reference, hypothesis).counts == expected


def test_the_rate_is_errors_by_reference_length() -> None:
    assert Counts(1, 2, 3, 12).rate == 0.5
    assert Counts(0, 0, 6, 3).rate == 2
    assert Counts(0, 0, 6, 0).rate is None
    assert Counts(1, 2, 3, 4) + Counts(10, 20, 30, 40) == Counts(11, 22, 33, 44)


UNITS = st.lists(st.sampled_from(["the", "a", "开", "b"]), max_size=12)


@given(UNITS, UNITS)
def test_no_alignment_has_fewer_edits(reference: list[str], hypothesis: list[str]) -> None:
    assert align(reference, hypothesis).counts.errors == distance(reference, hypothesis)


@given(UNITS, UNITS)
def test_matches_and_edits_make_up_both_sides(reference: list[str], hypothesis: list[str]) -> None:
    found = align(reference, hypothesis)
    counts, matched = found.counts, len(found.reference)
    assert [reference[i] for i in found.reference] == [hypothesis[j] for j in found.hypothesis]
    assert list(found.reference) == sorted(set(found.reference))
    assert list(found.hypothesis) == sorted(set(found.hypothesis))
    assert matched + counts.substitutions + counts.deletions == len(reference) == counts.reference
    assert matched + counts.substitutions + counts.insertions == len(hypothesis)


def distance(reference: list[str], hypothesis: list[str]) -> int:
    """Compute Wagner and Fischer's table, row by row."""
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(hypothesis, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]
