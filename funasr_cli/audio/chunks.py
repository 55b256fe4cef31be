"""Chunks of WAV, AIFF, CAF and similar files: where the sound is and how long the header says it is."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from funasr_cli.audio.leftover import read_at

MAX_CHUNKS = 10_000
"""More chunks than any program writes; the search stops there."""


class Layout(NamedTuple):
    """How a format lays out its chunks."""

    first: int
    """Bytes before the first chunk."""
    id_bytes: int
    size: struct.Struct
    """The length field, which follows the chunk's name."""
    sound: bytes
    """Name of the chunk that holds the sound."""
    alignment: int
    counts_itself: bool = False
    """Whether a chunk's length includes its own name and length field."""
    preface: int = 0
    """Bytes in the sound chunk before the samples."""


class Chunk(NamedTuple):
    """A chunk: its name, the offset of its length field, and where its content begins and should end."""

    name: bytes
    size_at: int
    start: int
    end: int


_WAV = Layout(12, 4, struct.Struct("<I"), b"data", 2)
_W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""Second part of the names of Wave64 chunks; the first part is the same as in WAV."""

LAYOUTS = {
    b"RIFF": _WAV,
    b"RF64": _WAV,
    b"BW64": _WAV,
    b"RIFX": _WAV._replace(size=struct.Struct(">I")),
    b"FORM": Layout(12, 4, struct.Struct(">I"), b"SSND", 2, preface=8),
    b"caff": Layout(8, 4, struct.Struct(">q"), b"data", 1, preface=4),
    b"riff": Layout(40, 16, struct.Struct("<q"), b"data" + _W64, 8, counts_itself=True),
}
"""Layouts by the first four bytes of a file."""

FORMS = {b"RIFF": b"WAVE", b"RF64": b"WAVE", b"BW64": b"WAVE", b"RIFX": b"WAVE", b"FORM": b"AIF"}
"""What an audio file has at byte 8."""


def layout_at(file: BinaryIO, at: int) -> Layout | None:
    """Return the layout of the recording that starts at byte `at`; None if it is not in one of these formats."""
    head = read_at(file, at, 12)
    kind = head[:4]
    if kind not in LAYOUTS or not head[8:].startswith(FORMS.get(kind, b"")):
        return None
    return LAYOUTS[kind]


def chunks(file: BinaryIO, layout: Layout, at: int) -> Iterator[Chunk]:
    """Yield the chunks from `at` on. The last one may end beyond the file or have a meaningless length."""
    header = layout.id_bytes + layout.size.size
    for _ in range(MAX_CHUNKS):
        head = read_at(file, at, header)
        if len(head) < header:
            return
        (size,) = layout.size.unpack_from(head, layout.id_bytes)
        start = at + header
        end = start + size - (header if layout.counts_itself else 0)
        yield Chunk(head[: layout.id_bytes], at + layout.id_bytes, start, end)
        if end < start:
            return
        at = end + (at - end) % layout.alignment
