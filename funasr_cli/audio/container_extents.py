"""Read from MP4, Matroska, ASF, AVI and MP3 headers how long the file should be.

In bytes, not seconds: many containers only estimate the seconds, and others state those of the video.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from funasr_cli.audio.chunks import MAX_CHUNKS
from funasr_cli.audio.extents import Extent
from funasr_cli.audio.leftover import id3_bytes, read_at

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""GUIDs of the first object of an ASF file and of the object within it that states the file's length."""


def container_extents(path: Path) -> list[Extent]:
    """Return the recordings in a file; the last may be cut off. Empty if the format is not known here.

    Raises `OSError` if the file cannot be read.
    """
    with path.open("rb") as file:
        size, head = file.seek(0, 2), read_at(file, 0, 16)
        for matches, walk in _WALKS:
            if matches(head):
                later, end = walk(file)
                bounds = zip([0, *later], [*later, None], strict=True)
                found = [Extent(first, last, is_for_sndfile=False) for first, last in bounds]
                return [*found[:-1], found[-1]._replace(is_cut_off=end > size)]
    return []


def _mp4(file: BinaryIO) -> tuple[list[int], int]:
    """Walk the atoms: a 32-bit length, a name, and a 64-bit length if the first is 1. 0 means the rest of the file."""
    starts, at, has_index = [], 0, False
    for _ in range(MAX_CHUNKS):
        head = read_at(file, at, 16)
        if len(head) < 8 or not head[4:8].isalnum():
            break
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if name == b"ftyp" and has_index:
            starts.append(at)
        has_index |= name == b"moov"
        if length < 8:
            break
        at += length
    return starts, at


def _matroska(file: BinaryIO) -> tuple[list[int], int]:
    """Read the EBML header and the segment; a length of all ones means unknown."""
    head = read_at(file, 0, 4096)
    header, at = _vint(head, 4)
    segment = at + header
    if head[segment : segment + 4] != bytes.fromhex("18538067"):
        return [], 0
    length, at = _vint(head, segment + 4)
    is_unknown = length == (1 << 7 * (at - segment - 4)) - 1
    return [], 0 if is_unknown else at + length


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length integer at `at`, and where it ends."""
    size = 9 - data[at].bit_length() if at < len(data) else 9
    if not 1 <= size <= 8 or at + size > len(data):
        return 0, at
    return int.from_bytes(data[at : at + size], "big") & ((1 << 7 * size) - 1), at + size


def _asf(file: BinaryIO) -> tuple[list[int], int]:
    """Walk the objects: a GUID and a 64-bit length that includes both fields."""
    starts, at, end = [], 0, 0
    for _ in range(MAX_CHUNKS):
        head = read_at(file, at, 24)
        length = int.from_bytes(head[16:], "little")
        if head.startswith(ASF_HEADER):
            starts.append(at)
            end = at + _asf_length(read_at(file, at, min(length, 65_536)))
        if len(head) < 24 or length < 24:
            break
        at += length
    return starts[1:], end


def _asf_length(header: bytes) -> int:
    """Return the file's length from its properties; 0 if it was broadcast, when the length is unknown."""
    at = header.find(ASF_PROPERTIES)
    if at < 0 or len(header) < at + 92:
        return 0
    (length,), (flags,) = struct.unpack_from("<Q", header, at + 40), struct.unpack_from("<I", header, at + 88)
    return 0 if flags & 1 else int(length)


def _avi(file: BinaryIO) -> tuple[list[int], int]:
    """Walk the RIFF chunks, up to 1 GiB each."""
    at = 0
    for _ in range(MAX_CHUNKS):
        head = read_at(file, at, 12)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or head[8:11] != b"AVI" or not 0 < length < 2**32 - 2**13:
            break
        at += 8 + length + length % 2
    return [], at


def _mp3(file: BinaryIO) -> tuple[list[int], int]:
    """Read the length from the Xing header, which encoders write into the first frame if the output is seekable."""
    at = 0
    while length := id3_bytes(read_at(file, at, 10)):
        at += length
    frame = read_at(file, at, 256)
    tag = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = int.from_bytes(frame[tag + 4 : tag + 8], "big")
    if tag < 0 or not flags & 2:
        return [], 0
    field = tag + 8 + (4 if flags & 1 else 0)
    return [], at + int.from_bytes(frame[field : field + 4], "big")


def _is_mp3(head: bytes) -> bool:
    return head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


_WALKS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO], tuple[list[int], int]]], ...] = (
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"), _mp4),
    (lambda head: head.startswith(b"\x1aE\xdf\xa3"), _matroska),
    (lambda head: head.startswith(ASF_HEADER), _asf),
    (lambda head: head.startswith(b"RIFF") and head[8:11] == b"AVI", _avi),
    (_is_mp3, _mp3),
)
