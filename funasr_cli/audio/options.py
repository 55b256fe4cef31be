"""Options of voice activity detection, separate from the detector, which takes time to load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VadOptions:
    """What counts as speech.

    `threshold` is a probability; the durations are seconds. Speech shorter than `min_speech` is dropped, a pause
    shorter than `min_silence` does not end a span, and a span is widened by `padding` (≤ `min_silence`) at both ends.
    """

    threshold: float = 0.4
    min_speech: float = 0.1
    min_silence: float = 0.3
    padding: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"the threshold must be a probability between 0 and 1, not {self.threshold}")
        if self.min_speech < 0 or not 0 <= self.padding <= self.min_silence:
            raise ValueError(
                f"the padding of {self.padding} s is longer than the minimum silence of {self.min_silence} s"
                if self.padding > self.min_silence
                else "durations cannot be negative"
            )
