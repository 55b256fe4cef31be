"""Fixtures of the scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.nights import Sleepless, nights


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sleepless:
    """Runs in an empty folder; see `nights`."""
    monkeypatch.chdir(tmp_path)
    return nights(tmp_path)
