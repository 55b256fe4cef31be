"""Sound in files without a header, read as --raw says."""

from __future__ import annotations

from pathlib import Path

import soundfile

from funasr_cli.audio.raw_format import ENCODINGS, EXTENSIONS, RawFormat
from funasr_cli.audio.sndfile import SndfileRecording
from funasr_cli.errors import InputError


class HeaderlessRecording(SndfileRecording):
    """A recording without a header, read in the given format."""

    def __init__(self, path: Path, channel: int | None, raw: RawFormat) -> None:
        self._raw = raw
        super().__init__(path, channel)
        self.has_known_end = True
        rest = path.stat().st_size * 8 % raw.frame_bits
        if rest:
            self.warnings.append(f"file size is not a whole number of samples: is --raw {raw} right?")

    def _open(self, descriptor: int) -> soundfile.SoundFile:
        encoding = ENCODINGS[self._raw.encoding]
        return soundfile.SoundFile(
            descriptor,
            closefd=False,
            samplerate=self._raw.rate,
            channels=self._raw.channels,
            format="RAW",
            subtype=encoding.subtype,
            endian=encoding.endian,
        )


def no_header(path: Path) -> InputError:
    """Return the error about a file that no library recognises and that may be sound without a header."""
    example = EXTENSIONS.get(path.suffix[1:].lower())
    if example is None:
        hint = "If it is headerless audio, give its format, rate and channels, such as --raw s16le:16000:1."
    else:
        hint = f"Give format, rate and channels with --raw; {path.suffix} is often {example}. See transcribe --help."
    return InputError("not a readable audio or video file: no known header", where=path, hint=hint)
