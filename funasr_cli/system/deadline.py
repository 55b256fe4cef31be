"""`--deadline`: until when a run takes on new work."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

from funasr_cli.errors import UsageError

CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
SPAN = re.compile(r"\+(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def seconds_until(text: str, now: datetime) -> float:
    """Seconds from `now` to `HH:MM` (today, or tomorrow if that is past) or over a span like `+2h`, `+1h30m`.

    Raises `UsageError` for anything else.
    """
    span = SPAN.fullmatch(text)
    if span and any(span.groups()):
        hours, minutes, seconds = (int(part or 0) for part in span.groups())
        return float(timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds())
    clock = CLOCK.fullmatch(text)
    if clock and int(clock[1]) < 24 and int(clock[2]) < 60:
        at = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return ((at if at > now else at + timedelta(days=1)) - now).total_seconds()
    raise UsageError(f"{text!r} is no deadline", hint="Give a time of day (06:30) or a span (+2h, +1h30m, +90s).")


class Deadline:
    """A moment by the clock that only runs forward, so that a changed system clock does not move it."""

    def __init__(self, text: str | None) -> None:
        self._at = None if text is None else time.monotonic() + seconds_until(text, datetime.now())

    @property
    def passed(self) -> bool:
        """Whether no new work is to be taken on."""
        return self._at is not None and time.monotonic() >= self._at
