"""`--deadline` takes a time of day or a span."""

from __future__ import annotations

import time
from collections.abc import Iterator
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


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time zone with clock changes: on 29 March 2026 from 2:00 to 3:00, on 25 October from 3:00 to 2:00."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("now", "text", "hours"),
    [
        (datetime(2026, 10, 24, 22, 30), "06:30", 9),
        (datetime(2026, 3, 28, 22, 30), "06:30", 7),
        (datetime(2026, 10, 24, 22, 30), "+8h", 8),
        (datetime(2026, 10, 25, 2, 45), "02:30", 0.75),
        (datetime(2026, 10, 25, 2, 45, fold=1), "02:30", 23.75),
        (datetime(2026, 10, 25, 1, 30), "02:30", 1),
        (datetime(2026, 3, 29, 1, 30), "03:00", 0.5),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_night_in_which_the_clocks_are_changed_has_other_hours(now: datetime, text: str, hours: float) -> None:
    assert seconds_until(text, now) == hours * 3600


def test_a_time_of_day_follows_the_clock_if_that_is_set_and_a_span_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    of_day, span = Deadline(datetime.fromtimestamp(now + 7200).strftime("%H:%M")), Deadline("+2h")
    assert not of_day.passed
    monkeypatch.setattr("funasr_cli.system.deadline.time.time", lambda: now + 7300)
    assert of_day.passed
    assert not span.passed
    monkeypatch.undo()
    assert of_day.passed  # it stays passed


@pytest.mark.parametrize("text", ["soon", "25:00", "12:60", "+", "2h", "12:30:00", ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a deadline"):
        seconds_until(text, NOON)


def test_without_one_there_is_always_time() -> None:
    assert not Deadline(None).passed
    assert not Deadline("+1h").passed
    assert Deadline("+0s").passed
