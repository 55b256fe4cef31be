"""The settings that change what comes out of a recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.late_fields import late
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.text.options import Script, SegmentLimits, Strength, TextOptions

if TYPE_CHECKING:  # --help can do without
    from funasr_cli.hotwords import Hotword

Channels = Literal["mix", "split"]
"""The channels of a recording are averaged, or each is transcribed by itself."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`vad` None takes everything as speech; `language` None has it detected; `overlap` is in seconds.

    `itn` has numbers written in figures, and punctuation by a model that can; `hotwords` are words to listen for, and
    `correction` is how readily they are put in the place of what sounds like them. `script` None leaves Chinese as the
    model writes it. `track` is the audio track to take of several, its number (from 1 on) or a code of its language,
    and `raw` says how sound is stored in files without a header.

    The names of the fields, and of those within, are on record in every output folder (see `fingerprint`). A new one
    is declared with `late`.
    """

    formats: tuple[str, ...] = ("txt", "srt")
    layout: OutputLayout = field(default_factory=OutputLayout)
    channels: Channels = "mix"
    language: str | None = None
    vad: VadOptions | None = field(default_factory=VadOptions)
    overlap: float = 2.0
    itn: bool = True
    hotwords: tuple[Hotword, ...] = ()
    correction: Strength | None = "safe"
    script: Script | None = "simplified"
    segments: SegmentLimits = field(default_factory=SegmentLimits)
    track: int | str | None = late(None)
    raw: RawFormat | None = late(None)

    def text(self, *, writes_numbers: bool) -> TextOptions:
        """How the text of a model is edited that writes numbers in figures itself, or does not."""
        return TextOptions(self.correction, self.itn and not writes_numbers, self.script, self.segments)
