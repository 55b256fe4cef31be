"""Types of callback functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Tell: TypeAlias = Callable[[str], object]
"""Called with a message for the user."""


def silent(_: str) -> None:
    """Discard the message."""


OnProgress: TypeAlias = Callable[[float, float, "float | None"], None]
"""Called about once per second of audio and after each window, with the seconds read, the seconds recognised, and the
length of the recording if known."""
