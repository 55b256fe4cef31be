"""A clock for the time limits of other processes."""

from __future__ import annotations

import time


class ActiveClock:
    """Counts the seconds during which this process was running.

    The clock pauses while the process is stopped: Ctrl-Z stops all processes of a run, and none of them is then hung.
    """

    def __init__(self, tick: float) -> None:
        """`tick` is the smallest step of the clock, in seconds."""
        self.now = 0.0
        self._tick = tick
        self._last = time.monotonic()

    def advance(self) -> bool:
        """Advance the clock; returns whether at least a tick has passed since it last advanced."""
        passed = time.monotonic() - self._last
        if passed < self._tick:
            return False
        self.now += min(passed, 2 * self._tick)
        self._last += passed
        return True
