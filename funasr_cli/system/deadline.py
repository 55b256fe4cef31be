"""`--deadline`: the time after which a run starts no new work."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

from funasr_cli.errors import UsageError

CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
SPAN = re.compile(r"\+(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def seconds_until(text: str, now: datetime) -> float:
    """Seconds from `now` (local time) to the next `HH:MM` on the clock, or in a span such as `+2h` or `+1h30m`.

    Changes to and from daylight saving time are taken into account. Raises `UsageError` for any other text.
    """
    span = span_of(text)
    return _next(text, now).timestamp() - now.timestamp() if span is None else span


def span_of(text: str) -> float | None:
    """Seconds in a span such as `+2h`; None for any other text."""
    span = SPAN.fullmatch(text)
    if span is None or not any(span.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in span.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _next(text: str, now: datetime) -> datetime:
    """The next time the clock shows `HH:MM`: today, once more today if the clocks go back, or tomorrow."""
    clock = CLOCK.fullmatch(text)
    if clock is None or int(clock[1]) >= 24 or int(clock[2]) >= 60:
        hint = "Give a time of day (06:30) or a span (+2h, +1h30m, +90s)."
        raise UsageError(f"{text!r} is not a deadline", hint=hint)
    today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, fold=0)
    times = (today, today.replace(fold=1), today + timedelta(days=1))
    return next(at for at in times if at.timestamp() > now.timestamp())


class Deadline:
    """A time of day by the system clock, which may be adjusted meanwhile, or the end of a span, which is unaffected.

    Once passed, a deadline stays passed, however the clock is adjusted.
    """

    def __init__(self, text: str | None) -> None:
        self.text = text
        self._is_span = text is not None and span_of(text) is not None
        self._passed = False
        self._at = float("inf") if text is None else self._now + seconds_until(text, datetime.now())

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed, so that no new work may start."""
        self._passed = self._passed or self._now >= self._at
        return self._passed

    @property
    def _now(self) -> float:
        return time.monotonic() if self._is_span else time.time()
