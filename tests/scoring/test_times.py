"""Time errors of correctly recognised units with times on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from funasr_cli.scoring.align import align
from funasr_cli.scoring.normalise import units
from funasr_cli.scoring.read import Piece
from funasr_cli.scoring.times import TimeErrors, start_offsets, time_errors


def offsets(reference: list[tuple[str, float | None]], hypothesis: list[tuple[str, float | None]]) -> list[float]:
    wanted, got = (units([Piece(*piece) for piece in pieces], "cer") for pieces in (reference, hypothesis))
    return start_offsets(wanted, got, align(wanted.tokens, got.tokens)).tolist()


def test_starts_of_matched_characters_are_compared() -> None:
    reference = [("开", 1.0), ("会", 2.0), ("了", 3.0)]
    assert offsets(reference, [("开", 1.1), ("回", 2.5), ("了", 2.8)]) == pytest.approx([0.1, -0.2])


def test_inside_a_word_or_line_nothing_is_known() -> None:
    assert offsets([("一下", 1.0), ("儿", 2.0)], [("一", 1.1), ("下", 1.5), ("儿", 2.2)]) == pytest.approx([0.1, 0.2])
    assert offsets([("一", 1.0), ("下", 1.2)], [("一下", None)]) == []


def test_the_summary_is_about_the_median() -> None:
    # Distances from the median 0.1: 0.3, 0.1, 0, 0.1, 0.4. The 95th percentile is 0.8 of the way from 0.3 to 0.4.
    assert time_errors(np.array([-0.2, 0.0, 0.1, 0.2, 0.5])) == TimeErrors(
        5,
        0.1,
        0.6,
        pytest.approx(0.38),  # type: ignore[arg-type]
    )


def test_without_times_there_is_no_summary() -> None:
    assert time_errors(np.empty(0)) is None
