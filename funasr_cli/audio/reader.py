"""Open any recording as a stream of 16 kHz mono blocks.

libsndfile reads what it reads well (WAV, FLAC, OGG, AIFF, …); PyAV reads the rest, and the audio track of a video.
Nothing holds more than a block, so a recording of any length costs the same memory.
"""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import soundfile

from funasr_cli.audio.recording import Recording
from funasr_cli.audio.sndfile import SndfileRecording
from funasr_cli.errors import InputError, reading

logger = logging.getLogger(__name__)

SUFFIXES_FOR_FFMPEG = (".mp1", ".mp2", ".mp3")
"""libsndfile's MPEG decoder writes its complaints about sloppy encoders and damage straight to stderr."""


def open_recording(path: Path, channel: int | None = None) -> Recording:
    """Open `path` with whichever library reads it, to read one channel (from 1 on) or the mean of all.

    Raises `InputError` where neither library reads it.
    """
    with reading(path, InputError):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                "not a regular file", where=path, hint="A pipe is read as stdin: … | funasr-cli transcribe -"
            )
        if status.st_size == 0:
            raise InputError("the file is empty", where=path)
        with path.open("rb"):  # a clear system error, before libraries turn it into one of their own
            pass
    if path.suffix.lower() not in SUFFIXES_FOR_FFMPEG:
        try:
            recording = SndfileRecording(path, channel)
            if recording.is_sound:
                return recording
            recording.close()
        except soundfile.LibsndfileError:
            pass
    logger.debug("%s: read by FFmpeg", path)
    from funasr_cli.audio.container import ContainerRecording  # takes time and memory to load

    return ContainerRecording(path, channel)
