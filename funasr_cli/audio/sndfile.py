"""Recordings that libsndfile reads: WAV, FLAC, OGG, AIFF, …"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import soundfile

from funasr_cli.arrays import Samples
from funasr_cli.audio.recording import BLOCK_SECONDS, Recording


class SndfileRecording(Recording):
    """A recording that libsndfile reads."""

    def __init__(self, path: Path, channel: int | None) -> None:
        # libsndfile takes a name as bytes, so a name that is not UTF-8 needs no special care.
        self._file = soundfile.SoundFile(os.fsencode(path))
        super().__init__(path, channel, self._file.channels)
        if self._file.frames < 2**62:  # libsndfile's way to say "unknown"
            self.duration = self._file.frames / self._file.samplerate
        if "(should be" in self._file.extra_info:
            self.warnings.append("cut off: the file is shorter than its header says")

    @property
    def is_sound(self) -> bool:
        """Whether libsndfile reads it well: not MP3, whatever its name; nor an OGG file without its end."""
        return bool(self._file.format != "MP3" and self._file.frames > 0)

    def _native(self) -> Iterator[tuple[int, Samples]]:
        rate = self._file.samplerate
        frames = max(1, int(rate * BLOCK_SECONDS))
        while True:
            try:
                block: Samples = self._file.read(frames, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                self.warnings.append(f"decoder stopped: {error}")
                return
            if not len(block):
                return
            yield rate, block

    def close(self) -> None:
        self._file.close()
