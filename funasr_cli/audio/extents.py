"""Where each recording in a file begins and ends: what its header says, and what is there.

This is known for WAV, Wave64, AIFF, CAF and AU. A header may say too little, because the recorder crashed or the length
did not fit into 32 bits. It may not know, because the file came from a pipe. And files may have been put end to end.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from funasr_cli.audio.chunks import Chunk, Layout, chunks, layout_at
from funasr_cli.audio.file_part import FilePart, Patch
from funasr_cli.audio.leftover import leftover_bytes, read_at

WRAPPED_BYTES = 2**32
"""A length of 32 bits starts at 0 again after this."""

MPEG_TAGS = (0x50, 0x55)
"""Format tags of WAV with MPEG audio, of which libsndfile's decoder writes complaints to stderr."""

KNOWN_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"fact", b"JUNK", b"junk", b"PAD ")
"""Chunks that follow the sound even if they are damaged."""

_AU = Layout(0, 4, struct.Struct(">I"), b".snd", 1)
_AU_HEADER = struct.Struct(">4sII")


class Extent(NamedTuple):
    """One recording in a file, from byte `start` to before `end`, or to the file's end if that is None.

    `patch` makes its header true, and None if that is so without. `promised` is the share of the sound that the
    header speaks of if there is more. `has_known_end` says that the sound ends where the header says, and `is_guess`
    that there need not be any sound.
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
        """The recording as a file of its own. Raises `OSError` if the file cannot be opened."""
        return FilePart(path, self.start, self.end, self.patch)


class _Sound(NamedTuple):
    """The chunk with the sound, the layout around it, where its length is written and how, and the WAV format tag."""

    chunk: Chunk
    layout: Layout
    size_at: int
    size: struct.Struct
    codec: int


def extents(path: Path) -> list[Extent]:
    """The recordings in a file, of which there are several if files were put end to end; none if it has no chunks.

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
    """The format tag of a `fmt ` chunk; that of WAVE_FORMAT_EXTENSIBLE stands where its GUID begins."""
    (tag,) = struct.unpack_from("<H", form) if len(form) >= 2 else (0,)
    return int.from_bytes(form[24:26], "little") if tag == 0xFFFE else tag


def _examine(file: BinaryIO, sound: _Sound, start: int, file_size: int) -> Extent:
    chunk = sound.chunk
    size, present = chunk.end - chunk.start, file_size - chunk.start
    if _is_unknown(size - sound.layout.preface, sound.size):
        end = _tail_end(file, sound.layout, chunk.start, file_size) if size <= sound.layout.preface else None
        if end is None and size < present:
            # libsndfile goes to the end if the length is 0, and no further than another one.
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
    """Where sound ends that goes on after what the header says: after the length that did not fit, or with the file."""
    over = (file_size - sound.chunk.end) // WRAPPED_BYTES
    if over and sound.size.size == 4:
        end = sound.chunk.end + over * WRAPPED_BYTES
        if _end_with_tail(file, sound.layout, end, start, file_size) is not None:
            return end
    return file_size


def _end_with_tail(file: BinaryIO, layout: Layout, end: int, start: int, file_size: int) -> int | None:
    """`_tail_end` of sound that ends at `end`, with or without the padding that not every program writes."""
    padded = end + (start - end) % layout.alignment
    tail_end = _tail_end(file, layout, padded, file_size)
    return tail_end if tail_end is not None or padded == end else _tail_end(file, layout, end, file_size)


def _is_unknown(size: int, field: struct.Struct) -> bool:
    """Whether a length says that its writer did not know it. Programs that write to a pipe differ in what they put."""
    if field.size == 8:
        return size <= 0 or size >= 2**62
    return size <= 0 or abs(size - 2**31) <= 2**13 or size >= WRAPPED_BYTES - 2**13


def _patch(sound: _Sound, end: int) -> Patch:
    """What makes the header say that the sound ends at `end`; "unknown", if 32 bits cannot say that."""
    size = end - sound.chunk.start + (sound.layout.id_bytes + sound.size.size if sound.layout.counts_itself else 0)
    return Patch(sound.size_at, sound.size.pack(size if sound.size.size == 8 else min(size, WRAPPED_BYTES - 1)))


def _begins_recording(file: BinaryIO, at: int) -> bool:
    head = read_at(file, at, _AU_HEADER.size)
    return layout_at(file, at) is not None or (head[:4] == _AU.sound and head[4:6] == bytes(2))


def _tail_end(file: BinaryIO, layout: Layout, at: int, file_size: int) -> int | None:
    """Where what follows the sound ends: at the next recording, or with the file. None if it is more sound."""
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
