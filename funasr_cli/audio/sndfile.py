"""Recordings read by libsndfile: WAV, FLAC, OGG, AIFF, …"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from funasr_cli.arrays import Samples
from funasr_cli.audio.extents import Extent
from funasr_cli.audio.file_part import FilePart
from funasr_cli.audio.float_scale import PLACE_FRAMES, PLACES, find_bits, rescale
from funasr_cli.audio.joined import later_starts, split
from funasr_cli.audio.recording import BLOCK_SECONDS, Recording

READ_AHEAD_BYTES = 2**17
"""libsndfile reads at most this far beyond what it decodes; an OGG page has up to 65,307 bytes."""

UNKNOWN_FRAMES = 2**62
"""libsndfile reports an unknown length as a number greater than this."""

FLOAT_SUBTYPES = ("FLOAT", "DOUBLE")

INT16_STEP = np.float32(2**-15)
"""Step between 16-bit samples at full scale 1."""


class SndfileRecording(Recording):
    """A recording read by libsndfile."""

    def __init__(self, path: Path, channel: int | None) -> None:
        # A descriptor instead of a name: its position in the end shows how far libsndfile has read.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._file = self._open(self._descriptor)
        except soundfile.LibsndfileError:
            os.close(self._descriptor)
            raise
        super().__init__(path, channel, self._file.channels)
        self._is_joinable = self._file.format in ("OGG", "FLAC")
        self._end: int | None = None
        if self._file.frames < UNKNOWN_FRAMES:
            self.duration = self.promised = self._file.frames / self._file.samplerate
            if self._file.subtype in FLOAT_SUBTYPES:
                rescale(self, find_bits(self._places(), self._everything))

    def _places(self) -> Iterator[Samples]:
        """Yield short blocks from all over the file."""
        with suppress(soundfile.LibsndfileError):  # reported later, when it is read
            for place in range(PLACES):
                self._file.seek(place * self._file.frames // PLACES)
                yield self._file.read(PLACE_FRAMES, dtype="float32")
        self._file.seek(0)

    def _everything(self) -> Iterator[Samples]:
        with suppress(soundfile.LibsndfileError):
            yield from self._file.blocks(self._file.samplerate, dtype="float32", always_2d=True)
        self._file.seek(0)

    def _open(self, descriptor: int) -> soundfile.SoundFile:
        # Given a name, libsndfile would take some files for headerless samples and assume a sample rate.
        return soundfile.SoundFile(descriptor, closefd=False)

    @property
    def is_sound(self) -> bool:
        """Whether libsndfile reads it well: not MP3, whatever its name, nor OGG or FLAC of unknown length."""
        return bool(self._file.format != "MP3" and 0 < self._file.frames < UNKNOWN_FRAMES)

    def _reached(self) -> int:
        """Return how far libsndfile has read in the file, in bytes."""
        return os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def _native(self) -> Iterator[tuple[int, Samples]]:
        rate, read, error = self._file.samplerate, 0, None
        frames = max(1, int(rate * BLOCK_SECONDS))
        while True:
            try:
                block = self._read(frames)
            except soundfile.LibsndfileError as caught:
                error = caught
                break
            if not len(block):
                break
            read += len(block)
            yield rate, block
        if self._is_joinable:
            self._end = next(later_starts(self.path, max(0, self._reached() - READ_AHEAD_BYTES)), None)
        if error and self._file.format != "FLAC":
            self.warnings.append(f"decoder stopped after {read / rate:.1f} s: {error}")
        elif self._file.format == "FLAC" and (error or self._unread_bytes()):
            yield from self._rest(read)

    def _read(self, frames: int) -> Samples:
        """Read the next block, float32 `[n, channels]`."""
        if self._file.subtype != "PCM_16":
            return np.asarray(self._file.read(frames, dtype="float32", always_2d=True))
        # The same numbers as from libsndfile, in a third of the time.
        block: Samples = np.multiply(
            self._file.read(frames, dtype="int16", always_2d=True), INT16_STEP, dtype=np.float32
        )
        return block

    def _rest(self, read: int) -> Iterator[tuple[int, Samples]]:
        """Read on with FFmpeg in a FLAC file in which libsndfile stopped after `read` samples."""
        from funasr_cli.audio.container import ContainerRecording  # takes time and memory to load

        rate = self._file.samplerate
        with ContainerRecording(self.path, self.channel, FilePart(self.path, 0, self._end)) as whole:
            self.has_known_end = True
            left = read
            for rate, block in whole._native():
                if len(block) > left:
                    yield rate, block[left:]
                left = max(0, left - len(block))
            self.warnings += whole.warnings
        self.warnings.append(f"damaged: libsndfile stopped after {read / rate:.1f} s; FFmpeg read the rest")

    def following(self) -> Iterable[Extent]:
        return () if self._end is None else split(self.path)[1:]

    def _shortfall(self, seconds: float, promised: float) -> str:
        if self._file.format != "OGG":
            return super()._shortfall(seconds, promised)
        # The length is the time stamp of the last page, so that page is present and earlier ones are missing.
        return (
            f"damaged: {promised - seconds:.1f} s are missing before the end, and times after the gap are too early;"
            " to get correct times, convert the file to WAV with FFmpeg"
        )

    def _unread_bytes(self) -> int:
        with FilePart(self.path, self._reached(), self._end) as rest:
            return rest.unread_bytes()

    def close(self) -> None:
        self._file.close()
        os.close(self._descriptor)
