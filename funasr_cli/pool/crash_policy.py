"""Decides what is to blame for the death of a process: a recording, a window, its own start, or nothing in this run."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

MAX_CRASHES = 2
"""If processes crash twice over the same thing, it is the cause."""

MAX_KILLS_AT_ONE_PLACE = 10
"""A SIGKILL from outside (by an administrator or a watchdog) says little, but many in a row at the same place do. A few
prove nothing: on a busy machine all recordings are near their start for a while, and starting again costs little."""


@dataclass(slots=True)
class _Past:
    deaths: int = 0
    place: float = -1.0
    kills: int = 0


class CrashPolicy(Generic[KeyT]):
    """Counts deaths by what the process was working on."""

    def __init__(self) -> None:
        self._past: dict[KeyT, _Past] = {}

    def should_give_up(self, key: KeyT, place: float, *, own_fault: bool) -> bool:
        """Count a death over `key`, at `place` in it; return whether to stop trying `key`."""
        past = self._past.setdefault(key, _Past())
        past.deaths += own_fault
        past.kills = past.kills + 1 if place == past.place else 1
        past.place = place
        return past.deaths >= MAX_CRASHES or past.kills >= MAX_KILLS_AT_ONE_PLACE

    def forget(self, key: KeyT) -> None:
        """Forget the deaths of `key`, which has succeeded or now means something else."""
        self._past.pop(key, None)
