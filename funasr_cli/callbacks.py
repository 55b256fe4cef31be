"""Functions that are handed down to be called back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Tell: TypeAlias = Callable[[str], object]
"""Called with a message for people."""


def silent(_: str) -> None:
    """Tells nobody."""


OnProgress: TypeAlias = Callable[[float, float, "float | None"], None]
"""Called about every second of audio, and after each window: seconds read, seconds recognised, and the recording's
length if that is known."""
