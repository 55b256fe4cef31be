"""What a reader left unread in a file: sound that it did not understand, or data that programs add after the sound."""

from __future__ import annotations

from typing import Protocol

MIN_SOUND_BYTES = 1024
"""Fewer bytes after the sound are padding; this is 0.03 s at 16 kHz and 16 bits."""

TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
"""How tags begin that programs add after the sound, in any format."""

BLOCK_BYTES = 2**20

MAX_BLOCKS = 256
"""At most about this many blocks are read to see whether all is zero, evenly spaced in larger files."""

MAX_FILE_BYTES = 2**42
"""4 TiB; file systems reject seeks far beyond this."""


class Seekable(Protocol):
    """What these functions need of an open file."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> int: ...


def read_at(file: Seekable, at: int, size: int) -> bytes:
    """Read up to `size` bytes from `at` on; none if a meaningless length leads beyond the end of any file."""
    if not 0 <= at < MAX_FILE_BYTES:
        return b""
    file.seek(at)
    return file.read(size)


def leftover_bytes(file: Seekable, at: int, end: int | None = None) -> int:
    """Count the bytes from `at` on; 0 if they are only a tag, zeros or padding."""
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
    """Return the length of the ID3v2 tag that begins with these ten bytes; 0 if they are not an ID3v2 header."""
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 127
    return 10 + length


def tag_bytes(data: bytes) -> int:
    """Return the length of the tags at the start of `data`, which may hold only part of them."""
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
