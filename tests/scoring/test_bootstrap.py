"""The confidence interval of an error rate over files."""

from __future__ import annotations

import numpy as np
import pytest

from funasr_cli.scoring import bootstrap
from funasr_cli.scoring.bootstrap import drawn_rates, interval


def test_two_files_are_drawn_in_three_ways() -> None:
    rates, counts = np.unique(drawn_rates([0, 30], [10, 30]), return_counts=True)
    assert rates.tolist() == [0, 0.75, 1]
    assert counts / bootstrap.DRAWS == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_equal_files_leave_no_doubt() -> None:
    assert interval([2, 2, 2], [20, 20, 20]) == (0.1, 0.1)


def test_the_interval_of_many_files_is_that_of_the_normal_law() -> None:
    errors = np.random.default_rng(1).integers(0, 100, 400)
    spread = 1.96 * errors.std() / np.sqrt(400) / 100
    low, high = interval(errors, np.full(400, 100)) or (0, 0)
    assert (low + high) / 2 == pytest.approx(errors.mean() / 100, abs=0.03 * spread)
    assert (high - low) / 2 == pytest.approx(spread, rel=0.03)


def test_the_same_files_have_the_same_interval_however_many_draws_fit_into_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors, lengths = np.arange(7), np.full(7, 10)
    before = interval(errors, lengths)
    monkeypatch.setattr(bootstrap, "CHUNK_DRAWS", 7 * 999)
    assert interval(errors, lengths) == before


def test_less_than_two_files_with_a_reference_have_no_interval() -> None:
    assert interval([], []) is None
    assert interval([1], [10]) is None
    assert interval([1, 5], [10, 0]) is None


def test_draws_without_a_reference_have_no_rate() -> None:
    rates = drawn_rates([1, 1, 1], [10, 10, 0])
    assert 0.9 * bootstrap.DRAWS < len(rates) < bootstrap.DRAWS
    assert np.isfinite(rates).all()
