"""The settings of a run that change what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from funasr_cli.audio.vad import VadOptions
from funasr_cli.text.segments import SegmentLimits


@dataclass(frozen=True, slots=True)
class Settings:
    """`vad` None takes everything as speech; `language` None has it detected; `overlap` is in seconds."""

    formats: tuple[str, ...] = ("txt", "srt")
    precision: str = "float32"
    language: str | None = None
    vad: VadOptions | None = field(default_factory=VadOptions)
    overlap: float = 2.0
    segments: SegmentLimits = field(default_factory=SegmentLimits)
