"""`--deadline` takes a time of day or a span."""

from __future__ import annotations

from datetime import datetime

import pytest

from funasr_cli.errors import UsageError
from funasr_cli.system.deadline import Deadline, seconds_until

NOON = datetime(2026, 3, 1, 12, 0, 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12:30", 1800), ("11:00", 23 * 3600), ("12:00", 86400), ("+2h", 7200), ("+1h30m", 5400), ("+90s", 90)],
)
def test_seconds_until(text: str, seconds: float) -> None:
    assert seconds_until(text, NOON) == seconds


@pytest.mark.parametrize("text", ["soon", "25:00", "12:60", "+", "2h", "12:30:00", ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no deadline"):
        seconds_until(text, NOON)


def test_without_one_there_is_always_time() -> None:
    assert not Deadline(None).passed
    assert not Deadline("+1h").passed
    assert Deadline("+0s").passed
