"""Open any recording as a stream of 16 kHz mono blocks.

libsndfile reads what it reads well (WAV, FLAC, OGG, AIFF, …); PyAV reads the rest, and the audio track of a video.
Nothing holds more than a block, so a recording of any length costs the same memory.
"""

from __future__ import annotations

import logging
import stat
from functools import partial
from pathlib import Path

import soundfile

from funasr_cli.audio.container_extents import container_extents
from funasr_cli.audio.extents import Extent, extents
from funasr_cli.audio.joined import JoinedRecording, split
from funasr_cli.audio.recording import Recording
from funasr_cli.audio.sndfile import SndfileRecording
from funasr_cli.errors import InputError, reading

logger = logging.getLogger(__name__)

SUFFIXES_FOR_FFMPEG = (".mp1", ".mp2", ".mp3")
"""libsndfile's MPEG decoder writes its complaints about sloppy encoders and damage straight to stderr."""


def open_recording(path: Path, channel: int | None = None) -> Recording:
    """Open `path` with whichever library reads it, to read one channel (from 1 on) or the mean of all.

    Several recordings end to end are read as one. Raises `InputError` where neither library reads it.
    """
    with reading(path, InputError):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                "not a regular file", where=path, hint="A pipe is read as stdin: … | funasr-cli transcribe -"
            )
        if status.st_size == 0:
            raise InputError("the file is empty", where=path)
        found = extents(path) or container_extents(path)  # also a clear system error, before libraries make it theirs
    found = found or [Extent(0, None)]
    first = _open_sndfile(path, channel, found[0]) if len(found) == 1 else None
    if first is None:
        logger.debug("%s: read by FFmpeg", path)
        found = split(path) or found
        first = _open_part(path, channel, found[0])
    return JoinedRecording(first, found[1:], partial(_open_part, path, channel))


def _open_sndfile(path: Path, channel: int | None, extent: Extent) -> Recording | None:
    """The recording as libsndfile reads it; None if it cannot, or not well."""
    if not extent.is_for_sndfile or path.suffix.lower() in SUFFIXES_FOR_FFMPEG:
        return None
    try:
        recording = SndfileRecording(path, channel)
    except soundfile.LibsndfileError:
        return None
    if not recording.is_sound:
        recording.close()
        return None
    return _described(recording, extent)


def _open_part(path: Path, channel: int | None, extent: Extent) -> Recording:
    from funasr_cli.audio.container import ContainerRecording  # takes time and memory to load

    with reading(path, InputError):
        part = extent.part(path)
    return _described(ContainerRecording(path, channel, part), extent)


def _described(recording: Recording, extent: Extent) -> Recording:
    """The recording, which has been told what its header says."""
    recording.is_cut_off, recording.promised_share = extent.is_cut_off, extent.promised
    recording.has_known_end = extent.has_known_end
    return recording
