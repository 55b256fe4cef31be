"""Who is to blame when a process dies: what it was at (a recording, a window, its own start), or nobody here."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

MAX_CRASHES = 2
"""A process that dies of itself twice over the same thing dies of it."""

MAX_KILLS_AT_ONE_PLACE = 10
"""A SIGKILL from outside (an administrator's, a watchdog's) says little; many in a row at the same place do. A few say
nothing either: on a busy machine everything is at its beginning for a while, and to begin again costs little."""


@dataclass(slots=True)
class _Past:
    deaths: int = 0
    place: float = -1.0
    kills: int = 0


class CrashPolicy(Generic[KeyT]):
    """Counts deaths by what the process was at."""

    def __init__(self) -> None:
        self._past: dict[KeyT, _Past] = {}

    def should_give_up(self, key: KeyT, place: float, *, own_fault: bool) -> bool:
        """One more process died over `key`, at `place` in it; returns whether `key` is not to be tried again."""
        past = self._past.setdefault(key, _Past())
        past.deaths += own_fault
        past.kills = past.kills + 1 if place == past.place else 1
        past.place = place
        return past.deaths >= MAX_CRASHES or past.kills >= MAX_KILLS_AT_ONE_PLACE

    def forget(self, key: KeyT) -> None:
        """`key` has gone through, or stands for something else from now on."""
        self._past.pop(key, None)
