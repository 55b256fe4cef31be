"""Options of text editing, apart from the editing code, which takes time to load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Strength: TypeAlias = Literal["safe", "strong"]
Script: TypeAlias = Literal["simplified", "traditional", "taiwan", "hongkong"]


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """Limits of a line: width in columns (a CJK character takes two), length in seconds, and the pause that ends it.

    A pause shorter than twice `pause` may stay within a line if a break would leave a character or two alone.
    """

    columns: int = 42
    seconds: float = 7.0
    pause: float = 0.8


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Options of text editing.

    `correction` is the evidence needed to correct a text to a hotword that sounds like it; None never corrects.
    `numbers` writes spoken numbers in figures, for a model that does not. `script` is the script of Chinese; None keeps
    the model's.
    """

    correction: Strength | None = "safe"
    numbers: bool = False
    script: Script | None = "simplified"
    segments: SegmentLimits = field(default_factory=SegmentLimits)
