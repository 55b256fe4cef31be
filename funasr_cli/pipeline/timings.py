"""How the time for a recording is spent, and on which devices its windows run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class StageTimings:
    """Totals of `seconds` by stage, of runs by device in `devices`, and of `extra_runs` beyond one per window.

    Extra runs are counted by reason: `attempt` (a second try), `rest` (the model stopped early), `hole` (speech without
    text), and `language` (outvoted by neighbouring windows).
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.devices: Counter[str] = Counter()
        self.extra_runs: Counter[str] = Counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time spent in this context towards the stage `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Count `seconds`, measured elsewhere, towards the stage `name`."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def each(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the same items, and count the time to obtain each towards the stage `name`."""
        iterator = iter(items)
        while True:
            with self.stage(name):
                item = next(iterator, None)
            if item is None:
                return
            yield item
