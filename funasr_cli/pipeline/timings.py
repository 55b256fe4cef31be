"""Where the time of a recording goes, and where its windows are run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class StageTimings:
    """Adds up `seconds` by stage, runs by device in `devices`, and in `extra_runs` those beside one a window.

    These are counted by reason: a second `attempt`, a `rest` that the model had not heard, a `hole` in the text, and a
    `language` that those around it were against.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.devices: Counter[str] = Counter()
        self.extra_runs: Counter[str] = Counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time in this context as spent on `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Count `seconds`, measured elsewhere, as spent on `name`."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def each(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; the time each takes to come is spent on `name`."""
        iterator = iter(items)
        while True:
            with self.stage(name):
                item = next(iterator, None)
            if item is None:
                return
            yield item
