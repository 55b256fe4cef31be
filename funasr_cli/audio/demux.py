"""Open files with FFmpeg, and reject formats that it guesses wrongly."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer

from funasr_cli.audio.file_part import FilePart
from funasr_cli.audio.signatures import HEAD_BYTES, has_signature
from funasr_cli.errors import InputError

TOLERANT_OF_TAGS: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
"""A title in GB18030 or another encoding must not make a recording unreadable; PyAV 19 accepts them by default."""

HEADERLESS = {
    *("alaw", "mulaw", "s8", "u8", "f32le", "f32be", "f64le", "f64be", "vidc"),
    *(f"{sign}{bits}{end}" for sign in "su" for bits in (16, 24, 32) for end in ("le", "be")),
}
"""FFmpeg's names for samples without a header. It picks them by the extension and assumes 44.1 kHz."""

WITH_SIGNATURE = {
    *("mov", "matroska", "ogg", "wav", "w64", "flac", "aiff", "au", "caf", "asf", "avi", "flv", "live_flv", "amr"),
    *("aa", "mpegts", "mpeg", "rm", "ivr", "mxf", "gxf", "wtv", "nut", "nuv", "nsv", "dv", "dhav", "swf", "kux", "ape"),
    *("tta", "wv", "tak", "mpc", "mpc8", "shn", "dsf", "iff", "wsd", "osq", "truehd", "mlp", "voc", "ircam", "sox"),
    *("avr", "pvf", "nistsphere", "epaf", "dss", "qcp", "act", "ilbc", "lc3", "mmf", "oma", "vqf", "xwma"),
}
"""Formats with an unmistakable signature. FFmpeg may mistake raw samples for other formats, such as those of game
consoles; they are accepted only with their file extension."""

KNOWN_BY_FRAMES = {"mp3", "aac", "ac3", "eac3", "dts", "loas", "sbc"}
"""Formats without a header, which FFmpeg recognises by a few bytes that look like frames."""

PROOF_PACKETS = 30
"""Most of this many packets at the beginning must decode to prove the format. In noise hardly any does."""

MAX_SILENT_BYTES = 16
"""Silence in A-law has at most this many distinct byte values."""

GSM_PROBE_BYTES = 2048
"""Bytes at the beginning by which FFmpeg recognises GSM."""


class NotRecognised(InputError):
    """No library recognises the format."""


def open_container(file: FilePart, path: Path) -> InputContainer:
    """Open the container in an open file with FFmpeg. Raises `NotRecognised`; `file` stays open."""
    try:
        container = _open(file)
    except (av.error.FFmpegError, ValueError) as error:
        raise NotRecognised(
            f"not a readable audio or video file ({getattr(error, 'strerror', None) or error})",
            where=path,
            hint="If a media player opens it, convert it to WAV or FLAC; otherwise the file is damaged.",
        ) from error
    with ExitStack() as unproven:
        unproven.callback(container.close)
        name = container.format.name.split(",")[0]
        by_extension = path.suffix[1:].lower() in container.format.extensions - {""}
        if name in HEADERLESS or not (container.streams.audio or has_signature(_head(file))):
            raise _unknown(path)
        if name in KNOWN_BY_FRAMES and not by_extension:
            if not _decodes(container):
                raise _unknown(path)
            container.close()
            container = _open(file)
        elif not (by_extension or name in WITH_SIGNATURE or (name == "gsm" and _is_gsm(_head(file)))):
            raise _unknown(path)
        unproven.pop_all()
    return container


def _unknown(path: Path) -> NotRecognised:
    return NotRecognised("not a readable audio or video file (unknown header)", where=path)


def _is_gsm(head: bytes) -> bool:
    """Whether a file that FFmpeg takes for GSM is GSM, and not A-law that begins with silence."""
    return len(set(head[:GSM_PROBE_BYTES])) > MAX_SILENT_BYTES


def _head(file: FilePart) -> bytes:
    at = file.tell()
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(at)
    return head


def _open(file: FilePart) -> InputContainer:
    file.seek(0)
    # Pass an open file, not a name: FFmpeg must not take a name for a URL or follow a playlist to other files.

    container: InputContainer = av.open(file, "r", options={"protocol_whitelist": "file"}, **TOLERANT_OF_TAGS)
    return container


def _decodes(container: InputContainer) -> bool:
    decoded = damaged = 0
    try:
        for packet in islice(container.demux(audio=0), PROOF_PACKETS):
            try:
                decoded += len(packet.decode())
            except av.error.FFmpegError:
                damaged += 1
    except (av.error.FFmpegError, IndexError):
        pass
    return decoded > damaged
