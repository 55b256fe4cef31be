"""A clock for time limits of other processes."""

from __future__ import annotations

import time


class ActiveClock:
    """Counts the seconds in which this process was running.

    It stands still while the process is stopped: Ctrl-Z stops all processes of a run, and none of them hangs for that.
    """

    def __init__(self, tick: float) -> None:
        """`tick` is the least time, in seconds, by which it moves."""
        self.now = 0.0
        self._tick = tick
        self._last = time.monotonic()

    def advance(self) -> bool:
        """Move on; returns whether a tick has passed since it last moved."""
        passed = time.monotonic() - self._last
        if passed < self._tick:
            return False
        self.now += min(passed, 2 * self._tick)
        self._last += passed
        return True
