"""Open any recording as a stream of 16 kHz mono blocks.

libsndfile reads the formats that it handles well (WAV, FLAC, OGG, AIFF, …); PyAV reads the others and the audio tracks
of videos. No more than a block is held, so memory does not depend on the length of the recording.
"""

from __future__ import annotations

import logging
import re
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import soundfile

from funasr_cli.audio.container_extents import container_extents
from funasr_cli.audio.extents import Extent, extents
from funasr_cli.audio.headerless import HeaderlessRecording, no_header
from funasr_cli.audio.joined import JoinedRecording, split
from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.audio.recording import Recording
from funasr_cli.audio.signatures import HEAD_BYTES, check_readable, has_signature, is_text
from funasr_cli.audio.sndfile import SndfileRecording
from funasr_cli.audio.tracks import check_single_track
from funasr_cli.errors import InputError, reading

logger = logging.getLogger(__name__)

SUFFIXES_FOR_FFMPEG = (".mp1", ".mp2", ".mp3")
"""libsndfile's MPEG decoder would print complaints about sloppy encoders and damage straight to stderr."""

MPEG_FRAME = re.compile(rb"\xff[\xe0-\xff]")
"""The beginning of a file that libsndfile takes for MPEG, whatever its name."""


def open_recording(
    path: Path, channel: int | None = None, *, track: int | str | None = None, raw: RawFormat | None = None
) -> Recording:
    """Open `path` with the library that can read it, for one channel (numbered from 1) or the mean of all.

    Concatenated recordings are read as one. `track` selects an audio track by number (from 1) or language code (see
    `choose_track`). A file without a known header is read in the format `raw`, if given. Raises `InputError` if the
    file cannot be read.
    """
    with reading(path, InputError):  # report system errors clearly, before a library obscures them
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                "not a regular file", where=path, hint="To read a pipe, use stdin: … | funasr-cli transcribe -"
            )
        if status.st_size == 0:
            raise InputError("the file is empty", where=path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        check_readable(path, head)
        found = extents(path) or container_extents(path)
    found = found or [Extent(0, None)]
    open_part = partial(_open_part, path, channel, track)
    first = _open_sndfile(path, channel, found[0], head) if len(found) == 1 else None
    if first is None:
        logger.debug("%s: read by FFmpeg", path)
        found = split(path) or found
        first = _open_first_part(path, found[0], open_part, head) or _open_headerless(path, channel, raw)
    if isinstance(first, SndfileRecording):
        check_single_track(path, track)
    return JoinedRecording(first, found[1:], open_part)


def _open_sndfile(path: Path, channel: int | None, extent: Extent, head: bytes) -> Recording | None:
    """Open the recording with libsndfile; None if libsndfile cannot read it, or not well."""
    if not extent.is_for_sndfile or path.suffix.lower() in SUFFIXES_FOR_FFMPEG or MPEG_FRAME.match(head):
        return None
    try:
        recording = SndfileRecording(path, channel)
    except soundfile.LibsndfileError:
        return None
    if not recording.is_sound:
        recording.close()
        return None
    return _described(recording, extent)


def _open_first_part(
    path: Path, extent: Extent, open_part: Callable[[Extent], Recording], head: bytes
) -> Recording | None:
    """Open the recording with FFmpeg; None if it may be sound without a header."""
    from funasr_cli.audio.demux import NotRecognised

    try:
        return open_part(extent)
    except NotRecognised:
        if has_signature(head) or is_text(head):
            raise
        return None


def _open_headerless(path: Path, channel: int | None, raw: RawFormat | None) -> Recording:
    if raw is None:
        raise no_header(path)
    logger.debug("%s: read as %s", path, raw)
    return HeaderlessRecording(path, channel, raw)


def _open_part(path: Path, channel: int | None, track: int | str | None, extent: Extent) -> Recording:
    from funasr_cli.audio.container import ContainerRecording  # takes time and memory to load

    with reading(path, InputError):
        part = extent.part(path)
    return _described(ContainerRecording(path, channel, part, track), extent)


def _described(recording: Recording, extent: Extent) -> Recording:
    """Pass to the recording what is known from its header, and return it."""
    recording.is_cut_off, recording.promised_share = extent.is_cut_off, extent.promised
    recording.has_known_end = extent.has_known_end
    return recording
