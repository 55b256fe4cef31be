"""What a reader left of a file: sound that it did not understand, or what programs put after the sound."""

from __future__ import annotations

from typing import Protocol

MIN_SOUND_BYTES = 1024
"""Fewer bytes after the sound are padding: 0.03 s of 16 kHz in 16 bits."""

TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
"""How the tags begin that programs put after the sound of any format."""

BLOCK_BYTES = 2**20

MAX_BLOCKS = 256
"""So many blocks are read to see that all is zero, and of a file with more, one in several."""

MAX_FILE_BYTES = 2**42
"""4 TiB; to go to a place far beyond is an error of the file system."""


class Seekable(Protocol):
    """What is needed of an open file."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> int: ...


def read_at(file: Seekable, at: int, size: int) -> bytes:
    """Up to `size` bytes from `at` on; none if a length that means nothing leads beyond all files."""
    if not 0 <= at < MAX_FILE_BYTES:
        return b""
    file.seek(at)
    return file.read(size)


def leftover_bytes(file: Seekable, at: int, end: int | None = None) -> int:
    """How many bytes there are from `at` on; 0 if they are nothing but a tag, or zeros, or next to nothing."""
    size = (file.seek(0, 2) if end is None else end) - at
    if size < MIN_SOUND_BYTES or read_at(file, at, 12).startswith(TAGS):
        return 0
    last = max(at, at + size - BLOCK_BYTES)
    for place in (*range(at, last, max(BLOCK_BYTES, size // MAX_BLOCKS)), last):
        block = read_at(file, place, BLOCK_BYTES)
        if block.count(0) != len(block):
            return size
    return 0


def id3_bytes(head: bytes) -> int:
    """Length of the ID3v2 tag whose first ten bytes these are; 0 if it is none."""
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 127
    return 10 + length


def tag_bytes(data: bytes) -> int:
    """Length of the tags with which `data` begins, though it may hold only part of them."""
    at = 0
    while head := data[at : at + 16]:
        if head.startswith(b"TAG"):
            at += 128
        elif head.startswith(b"APETAGEX"):
            at += 32 + int.from_bytes(head[12:], "little")
        elif length := id3_bytes(head[:10]):
            at += length
        else:
            break
    return at
