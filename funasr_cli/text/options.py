"""Options of text editing, apart from the editing code, which takes time to load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from funasr_cli.late_fields import late

Strength: TypeAlias = Literal["safe", "strong"]
Script: TypeAlias = Literal["simplified", "traditional", "taiwan", "hongkong"]


MIN_COLUMNS = 2
"""The width of a Chinese character, the narrowest line that can hold text."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """Limits of a line: width in columns (a CJK character takes two), length in seconds, and the pause that ends it.

    A pause shorter than twice `pause` may stay within a line if a break would leave a character or two alone.

    A cue has up to `lines` lines. If the next cue leaves time, it is shown for at least `min_seconds`, and long enough
    to be read at `characters_per_s`; None stands for the defaults of `cue_times`. `gap` is the minimum time between
    two cues, in seconds. With `strict`, which the command line sets if any of these limits is given, numbers with their
    units, hotwords and words are never split unless one alone exceeds the limits, and no cue is shown for longer than
    `seconds`. Without `strict`, cues are the same as in versions that did not have these options.

    Raises `ValueError` if the limits contradict each other.
    """

    columns: int = 42
    seconds: float = 7.0
    pause: float = 0.8
    lines: int = late(1)
    min_seconds: float | None = late(None)
    characters_per_s: float | None = late(None)
    gap: float = late(0.0)
    strict: bool = late(False)

    def __post_init__(self) -> None:
        if self.columns < MIN_COLUMNS:
            raise ValueError(f"a line of {self.columns} columns has no room for a Chinese character, which takes two")
        if self.lines < 1:
            raise ValueError(f"a cue must have at least one line, not {self.lines}")
        if self.seconds <= 0 or self.gap < 0:
            raise ValueError("a cue must last longer than 0 s, and the gap between two cues must not be negative")
        if self.min_seconds is not None and not 0 <= self.min_seconds <= self.seconds:
            raise ValueError(
                f"the minimum duration of a cue, {self.min_seconds:g} s, is more than the maximum, {self.seconds:g} s"
                if self.min_seconds > self.seconds
                else "the minimum duration of a cue must not be negative"
            )
        if self.characters_per_s is not None and self.characters_per_s <= 0:
            raise ValueError("the reading speed must be more than 0 characters per second")


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
