"""Find where each recording in a file begins and ends, by its header and by what the file really holds.

This works for WAV, Wave64, AIFF, CAF and AU. The length in a header may be too small, because the recorder crashed or
the length did not fit into 32 bits. It may be unknown, because the file was written to a pipe. And several files may
have been concatenated.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from funasr_cli.audio.chunks import Chunk, Layout, chunks, layout_at
from funasr_cli.audio.file_part import FilePart, Patch
from funasr_cli.audio.leftover import leftover_bytes, read_at

WRAPPED_BYTES = 2**32
"""A 32-bit length wraps around at this."""

MPEG_TAGS = (0x50, 0x55)
"""Format tags of WAV files with MPEG audio. libsndfile's MPEG decoder would print complaints to stderr."""

KNOWN_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"fact", b"JUNK", b"junk", b"PAD ")
"""Names by which a chunk after the sound is recognised even if it is damaged."""

_AU = Layout(0, 4, struct.Struct(">I"), b".snd", 1)
_AU_HEADER = struct.Struct(">4sII")


class Extent(NamedTuple):
    """One recording in a file, from byte `start` to `end` (exclusive), or to the end of the file if `end` is None.

    `patch` corrects the header; None if the header is right. `promised` is the share of the sound that the header
    declares, if the file holds more. `is_cut_off` means that the file holds less, `has_known_end` that nothing after
    the recording can belong to it, and `is_guess` that there may be no sound at all.
    """

    start: int
    end: int | None
    patch: Patch | None = None
    promised: float | None = None
    is_cut_off: bool = False
    has_known_end: bool = False
    is_for_sndfile: bool = True
    is_guess: bool = False

    def part(self, path: Path) -> FilePart:
        """Open the recording as a file of its own. Raises `OSError` if the file cannot be opened."""
        return FilePart(path, self.start, self.end, self.patch)


class _Sound(NamedTuple):
    """The sound chunk, the layout of its file, the place and format of its length field, and the WAV format tag."""

    chunk: Chunk
    layout: Layout
    size_at: int
    size: struct.Struct
    codec: int


def extents(path: Path) -> list[Extent]:
    """Return the recordings in a file: several if files were concatenated, none if the format is not known here.

    Raises `OSError` if the file cannot be read.
    """
    found: list[Extent] = []
    with path.open("rb") as file:
        file_size = file.seek(0, 2)
        start: int | None = 0
        while start is not None and (sound := _find_sound(file, start)):
            extent = _examine(file, sound, start, file_size)
            end = file_size if extent.end is None else extent.end
            is_for_sndfile = extent.is_for_sndfile and sound.codec not in MPEG_TAGS
            found.append(extent._replace(has_known_end=True, is_for_sndfile=is_for_sndfile))
            start = end if end < file_size and _begins_recording(file, end) else None
    return found


def _find_sound(file: BinaryIO, at: int) -> _Sound | None:
    head = read_at(file, at, _AU_HEADER.size)
    if head[:4] == _AU.sound and len(head) == _AU_HEADER.size:
        _, first, size = _AU_HEADER.unpack(head)
        return _Sound(Chunk(_AU.sound, at + 8, at + first, at + first + size), _AU, at + 8, _AU.size, 0)
    layout, codec, long_size = layout_at(file, at), 0, 0
    if layout is None:
        return None
    for chunk in chunks(file, layout, at + layout.first):
        if chunk.name[:4] == b"fmt ":
            codec = _codec(read_at(file, chunk.start, 26))
        elif chunk.name == b"ds64":
            long_size = chunk.start + 8
        elif chunk.name == layout.sound:
            if long_size and chunk.end - chunk.start == WRAPPED_BYTES - 1:
                (size,) = _RF64.unpack(read_at(file, long_size, _RF64.size))
                return _Sound(chunk._replace(end=chunk.start + size), layout, long_size, _RF64, codec)
            return _Sound(chunk, layout, chunk.size_at, layout.size, codec)
    return None


_RF64 = struct.Struct("<q")


def _codec(form: bytes) -> int:
    """Return the format tag of a `fmt ` chunk; WAVE_FORMAT_EXTENSIBLE has it at the start of its GUID."""
    (tag,) = struct.unpack_from("<H", form) if len(form) >= 2 else (0,)
    return int.from_bytes(form[24:26], "little") if tag == 0xFFFE else tag


def _examine(file: BinaryIO, sound: _Sound, start: int, file_size: int) -> Extent:
    chunk = sound.chunk
    size, present = chunk.end - chunk.start, file_size - chunk.start
    if _is_unknown(size - sound.layout.preface, sound.size):
        end = _tail_end(file, sound.layout, chunk.start, file_size) if size <= sound.layout.preface else None
        if end is None and size < present:
            # libsndfile reads to the end of the file if the length is 0, but stops at any other length.
            return Extent(start, file_size, _patch(sound, file_size), is_for_sndfile=size <= sound.layout.preface)
        return Extent(start, file_size)
    if size > present:
        return Extent(start, file_size, is_cut_off=True)
    end = _end_with_tail(file, sound.layout, chunk.end, start, file_size)
    if end is not None:
        return Extent(start, end)
    end = _unwrapped_end(file, sound, start, file_size)
    return Extent(start, end, _patch(sound, end), size / (end - chunk.start), is_for_sndfile=False)


def _unwrapped_end(file: BinaryIO, sound: _Sound, start: int, file_size: int) -> int:
    """Return where the sound ends if it is longer than declared: where a wrapped length says, or with the file."""
    over = (file_size - sound.chunk.end) // WRAPPED_BYTES
    if over and sound.size.size == 4:
        end = sound.chunk.end + over * WRAPPED_BYTES
        if _end_with_tail(file, sound.layout, end, start, file_size) is not None:
            return end
    return file_size


def _end_with_tail(file: BinaryIO, layout: Layout, end: int, start: int, file_size: int) -> int | None:
    """Return `_tail_end` for sound that ends at `end`, with or without padding, which some programs omit."""
    padded = end + (start - end) % layout.alignment
    tail_end = _tail_end(file, layout, padded, file_size)
    return tail_end if tail_end is not None or padded == end else _tail_end(file, layout, end, file_size)


def _is_unknown(size: int, field: struct.Struct) -> bool:
    """Whether a length is a placeholder for unknown. Programs that write to a pipe use different ones."""
    if field.size == 8:
        return size <= 0 or size >= 2**62
    return size <= 0 or abs(size - 2**31) <= 2**13 or size >= WRAPPED_BYTES - 2**13


def _patch(sound: _Sound, end: int) -> Patch:
    """Return the patch that makes the header declare sound up to `end`, or an unknown length if 32 bits are too few."""
    size = end - sound.chunk.start + (sound.layout.id_bytes + sound.size.size if sound.layout.counts_itself else 0)
    return Patch(sound.size_at, sound.size.pack(size if sound.size.size == 8 else min(size, WRAPPED_BYTES - 1)))


def _begins_recording(file: BinaryIO, at: int) -> bool:
    head = read_at(file, at, _AU_HEADER.size)
    return layout_at(file, at) is not None or (head[:4] == _AU.sound and head[4:6] == bytes(2))


def _tail_end(file: BinaryIO, layout: Layout, at: int, file_size: int) -> int | None:
    """Return where the data after the sound ends: at the next recording or with the file. None if it is more sound."""
    walked = at
    for chunk in [] if layout is _AU else chunks(file, layout, at):
        begin = chunk.size_at - layout.id_bytes
        if _begins_recording(file, begin):
            return begin
        if not _is_name(chunk.name, layout) or chunk.end > file_size:
            break
        walked = chunk.end + (begin - chunk.end) % layout.alignment
    if _begins_recording(file, walked):
        return walked
    is_known = read_at(file, at, 4) in KNOWN_CHUNKS
    return file_size if is_known or not leftover_bytes(file, walked) else None


def _is_name(name: bytes, layout: Layout) -> bool:
    return all(32 <= byte < 127 for byte in name[:4]) and name[4:] == layout.sound[4:]
