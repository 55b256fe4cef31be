"""The settings that affect the transcript of a recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.late_fields import late
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.text.options import Script, SegmentLimits, Strength, TextOptions

if TYPE_CHECKING:  # --help does not need it
    from funasr_cli.hotwords import Hotword

Channels = Literal["mix", "split"]
"""The channels of a recording are averaged (`mix`), or each is transcribed separately (`split`)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that affects a transcript, except the model.

    `vad` None treats the whole recording as speech; `language` None detects the language; `overlap` is in seconds.
    `itn` writes numbers in figures, and punctuation if the model can. `hotwords` are words to listen for, and
    `correction` is how readily they replace text that sounds like them. `script` None leaves Chinese as the model
    writes it. `track` selects one of several audio tracks by number (from 1) or language code, and `raw` is the sample
    format of files without a header.

    The names of these fields, and of the fields nested in them, are recorded in every output folder (see
    `fingerprint`). Declare a new field with `late`.
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
        """How to edit the text of a model; `writes_numbers`: the model itself writes numbers in figures."""
        return TextOptions(self.correction, self.itn and not writes_numbers, self.script, self.segments)
