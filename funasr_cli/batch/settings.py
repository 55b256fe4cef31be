"""The settings of a run that change what comes out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from funasr_cli.audio.spans import VadOptions
from funasr_cli.models.store import Model
from funasr_cli.text.segments import SegmentLimits


@dataclass(frozen=True, slots=True)
class Settings:
    """`vad` None takes everything as speech; `language` None has it detected; `overlap` is in seconds.

    `itn` asks a model that can for punctuation and written numbers.
    """

    formats: tuple[str, ...] = ("txt", "srt")
    language: str | None = None
    vad: VadOptions | None = field(default_factory=VadOptions)
    overlap: float = 2.0
    itn: bool = True
    segments: SegmentLimits = field(default_factory=SegmentLimits)

    def fingerprint(self, model: Model) -> str:
        """JSON of all that makes a difference to a text; formats do not, they are only ways to write it."""
        idle = {"formats"} | ({"itn"} if model.family == "whisper" else set())  # Whisper writes as it likes
        matter = {key: value for key, value in asdict(self).items() if key not in idle}
        return json.dumps({"model": model.content, "precision": model.precision, **matter}, sort_keys=True)
