"""How a text is to be edited, apart from what does it, which takes time to load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Strength: TypeAlias = Literal["safe", "strong"]
Script: TypeAlias = Literal["simplified", "traditional", "taiwan", "hongkong"]


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """The widest line in columns (a CJK character takes two), the longest in seconds, the pause that ends a line.

    A pause of less than twice that may stay within a line where it would leave a character or two alone.
    """

    columns: int = 42
    seconds: float = 7.0
    pause: float = 0.8


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How a text is edited.

    `correction` is how much it takes to put a hotword in the place of what sounds like it, None never. `numbers` writes
    spoken numbers in figures, for a model that does not. `script` is that of Chinese, None as the model has it.
    """

    correction: Strength | None = "safe"
    numbers: bool = False
    script: Script | None = "simplified"
    segments: SegmentLimits = field(default_factory=SegmentLimits)
