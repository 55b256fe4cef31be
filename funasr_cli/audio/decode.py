"""Open any recording as a stream of 16 kHz mono blocks.

libsndfile reads what it reads well (WAV, FLAC, OGG, AIFF, …); PyAV reads the rest, and the audio track of a video.
Nothing holds more than a block, so a recording of any length costs the same memory.
"""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.resample import Resampler
from funasr_cli.errors import InputError

BLOCK_SECONDS = 1.0
MISSING_SECONDS = 1.0
"""A recording that ends more than this before the length its header promises is called cut off."""

SUFFIXES_FOR_FFMPEG = (".mp1", ".mp2", ".mp3")
"""libsndfile's MPEG decoder writes its complaints about sloppy encoders and damage straight to stderr."""


class Recording(ABC):
    """An open recording. Use it as a context manager and read `blocks()` once.

    `duration` is what the header promises, in seconds, or None where it does not say; `warnings` grows while reading,
    with one sentence for each thing that was wrong with audio that could still be used.
    """

    duration: float | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []

    def blocks(self) -> Iterator[Samples]:
        """The audio, in blocks of about a second. Raises `InputError` where it cannot be read at all."""
        total = bad = 0
        for block in self._resampled():
            finite = np.isfinite(block)
            if not finite.all():
                bad += int(len(block) - np.count_nonzero(finite))
                block = np.where(finite, block, np.float32(0))
            total += len(block)
            yield block
        if bad:
            self.warnings.append(f"{bad} samples are not numbers (NaN or infinite) and were taken as silence")
        seconds = total / SAMPLE_RATE
        if self.duration is not None and seconds < self.duration - MISSING_SECONDS:
            self.warnings.append(f"cut off: ends after {seconds:.1f} s, its header promises {self.duration:.1f} s")

    def _resampled(self) -> Iterator[Samples]:
        resampler: Resampler | None = None
        for rate, block in self._native():
            if resampler is None or resampler.rate != rate:
                if resampler is not None:
                    yield resampler.flush()
                resampler = Resampler(rate)
            yield resampler.push(block)
        if resampler is not None:
            yield resampler.flush()

    @abstractmethod
    def _native(self) -> Iterator[tuple[int, Samples]]:
        """Mono blocks at the recording's own rate, each with that rate."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SndfileRecording(Recording):
    """A recording that libsndfile reads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # libsndfile takes a name as bytes, so a name that is not UTF-8 needs no special care.
        self._file = soundfile.SoundFile(os.fsencode(path))
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
                block: NDArray[np.float32] = self._file.read(frames, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                self.warnings.append(f"decoder stopped: {error}")
                return
            if not len(block):
                return
            yield rate, block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)

    def close(self) -> None:
        self._file.close()


def open_recording(path: Path) -> Recording:
    """Open `path` with whichever library reads it. Raises `InputError` where neither does."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                "not a regular file", where=path, hint="A pipe is read as stdin: … | funasr-cli transcribe -"
            )
        if status.st_size == 0:
            raise InputError("the file is empty", where=path)
        with path.open("rb"):  # a clear system error, before libraries turn it into one of their own
            pass
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from error
    if path.suffix.lower() not in SUFFIXES_FOR_FFMPEG:
        try:
            recording = SndfileRecording(path)
            if recording.is_sound:
                return recording
            recording.close()
        except soundfile.LibsndfileError:
            pass
    from funasr_cli.audio.container import ContainerRecording  # it builds on this module

    return ContainerRecording(path)
