"""The format of sound in a file without a header. Imports nothing heavy, so that --help stays fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Encoding(NamedTuple):
    """An encoding: libsndfile's names for it and its byte order, and the bits per sample."""

    subtype: str
    endian: str
    bits: int


ENCODINGS = {
    "s8": Encoding("PCM_S8", "FILE", 8),
    "u8": Encoding("PCM_U8", "FILE", 8),
    "s16le": Encoding("PCM_16", "LITTLE", 16),
    "s16be": Encoding("PCM_16", "BIG", 16),
    "s24le": Encoding("PCM_24", "LITTLE", 24),
    "s24be": Encoding("PCM_24", "BIG", 24),
    "s32le": Encoding("PCM_32", "LITTLE", 32),
    "s32be": Encoding("PCM_32", "BIG", 32),
    "f32le": Encoding("FLOAT", "LITTLE", 32),
    "f32be": Encoding("FLOAT", "BIG", 32),
    "f64le": Encoding("DOUBLE", "LITTLE", 64),
    "f64be": Encoding("DOUBLE", "BIG", 64),
    "alaw": Encoding("ALAW", "FILE", 8),
    "mulaw": Encoding("ULAW", "FILE", 8),
    "vox": Encoding("VOX_ADPCM", "FILE", 4),
}
"""Encodings by FFmpeg's names; `vox` is the ADPCM of Dialogic telephone boards."""

ALIASES = {"ulaw": "mulaw"}
"""Names that libsndfile and other programs use."""

RATES = range(1_000, 768_001)
"""Accepted samples per second: from the slowest voice loggers to the fastest converters."""

CHANNELS = range(1, 65)

EXTENSIONS = {
    **dict.fromkeys(("pcm", "raw", "s16", "s16le", "sw"), "s16le:16000:1"),
    **dict.fromkeys(("al", "alaw", "g711", "g711a"), "alaw:8000:1"),
    **dict.fromkeys(("ul", "ulaw", "mulaw", "g711u"), "mulaw:8000:1"),
    **dict.fromkeys(("s8", "sb"), "s8:8000:1"),
    **dict.fromkeys(("u8", "ub"), "u8:8000:1"),
    "s16be": "s16be:16000:1",
    "s24le": "s24le:48000:1",
    "s32le": "s32le:48000:1",
    "f32": "f32le:16000:1",
    "f32le": "f32le:16000:1",
    "vox": "vox:8000:1",
}
"""Extensions of files without a header, with their usual format: an example for messages, never an assumption."""


@dataclass(frozen=True, slots=True)
class RawFormat:
    """Sound without a header: its encoding (a key of `ENCODINGS`), samples per second, and channels."""

    encoding: str
    rate: int
    channels: int

    @classmethod
    def parse(cls, text: str) -> RawFormat:
        """Parse `FORMAT:RATE:CHANNELS`. Raises `ValueError` with what is wrong."""
        parts = text.strip().lower().split(":")
        if len(parts) != 3:
            raise ValueError(f"{text!r} is not FORMAT:RATE:CHANNELS, such as s16le:16000:1")
        name = parts[0].removeprefix("pcm_")
        encoding = ALIASES.get(name, name)
        if encoding not in ENCODINGS:
            raise ValueError(f"{parts[0]!r} is not one of the formats {', '.join(ENCODINGS)}")
        raw = cls(encoding, _number(parts[1], "rate", RATES), _number(parts[2], "number of channels", CHANNELS))
        if encoding == "vox" and raw.channels > 1:
            raise ValueError("vox has only one channel")
        return raw

    def __str__(self) -> str:
        return f"{self.encoding}:{self.rate}:{self.channels}"

    @property
    def frame_bits(self) -> int:
        """Bits in one sample of every channel."""
        return ENCODINGS[self.encoding].bits * self.channels


def _number(text: str, what: str, allowed: range) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) not in allowed:
        raise ValueError(f"the {what} must be a whole number from {allowed[0]} to {allowed[-1]}, not {text!r}")
    return int(text)
