"""Recordings that were put end to end in one file, as if by `cat`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from funasr_cli.arrays import Samples
from funasr_cli.audio.extents import Extent
from funasr_cli.audio.leftover import BLOCK_BYTES, read_at
from funasr_cli.audio.recording import Recording
from funasr_cli.errors import InputError

BEGINNINGS = {
    b"fLaC": re.compile(rb"fLaC[\x00\x80]\x00\x00\x22"),
    b"OggS": re.compile(rb"OggS\x00[\x02\x03\x06\x07]"),
    b"#!AM": re.compile(rb"#!AMR(?:-WB)?\n"),
    b"FLV\x01": re.compile(rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09"),
    b"\x1aE\xdf\xa3": re.compile(rb"\x1aE\xdf\xa3.{1,60}?(?:matroska|webm)", re.DOTALL),
}
"""How a recording begins in formats that do not say where it ends, by its first four bytes: FLAC with its STREAMINFO, a
stream of OGG with its first page, AMR, FLV, and Matroska with the name of the format in its header."""

SPLIT_FIRST = (b"fLaC", b"OggS", b"#!AM")
"""Those of which FFmpeg would take the next recording for more of the first. They have no pictures, and so they are
small enough to be searched."""

OVERLAP_BYTES = 128
"""Blocks of a file overlap by this, so that no beginning is lost between them."""


class JoinedRecording(Recording):
    """The recordings in a file, one after another; `opened` opens each in its turn.

    `later` are those that are known before the first was read; others show only when the one before them has ended.
    """

    def __init__(self, first: Recording, later: Iterable[Extent], opened: Callable[[Extent], Recording]) -> None:
        super().__init__(first.path, first.channel, first.channels)
        self.duration = first.duration
        self._current, self._later, self._opened = first, list(later), opened

    def _native(self) -> Iterator[tuple[int, Samples]]:
        start = seconds = 0.0
        for recording in self._recordings():
            for rate, block in recording._native():
                seconds += len(block) / rate
                yield rate, block if recording.gain == 1 else block * np.float32(recording.gain)
            if seconds > start:
                self._later = [*recording.following(), *self._later]
            recording.finish(seconds - start)
            self.warnings += [f"from {start:.1f} s on: {text}" if start else text for text in recording.warnings]
            start = seconds

    def _recordings(self) -> Iterator[Recording]:
        yield self._current
        while self._later:
            extent = self._later.pop(0)
            self._current.close()
            try:
                self._current = self._opened(extent)
            except InputError as error:
                if not extent.is_guess:
                    self.warnings.append(f"{extent.start} bytes into the file a recording cannot be read: {error.what}")
            else:
                yield self._current

    def close(self) -> None:
        self._current.close()


def split(path: Path) -> list[Extent]:
    """All recordings in a file of a format of `SPLIT_FIRST`; none if there is only one."""
    with path.open("rb") as file:
        if read_at(file, 0, 4) not in SPLIT_FIRST:
            return []
    starts = [0, *later_starts(path)]
    return [Extent(start or 0, end) for start, end in pairwise([*starts, None])] if len(starts) > 1 else []


def later_starts(path: Path, at: int = 0) -> Iterator[int]:
    """Where recordings begin in a file, from the byte `at` on; not the first of all.

    The first pages of streams that run side by side in OGG stand together, and make one recording.
    """
    with path.open("rb") as file:
        beginning = BEGINNINGS.get(read_at(file, 0, 4))
        group_end = 0
        while beginning and (block := read_at(file, at, BLOCK_BYTES + OVERLAP_BYTES)):
            for match in beginning.finditer(block):
                start = at + match.start()
                if match.start() < BLOCK_BYTES:
                    if start not in (0, group_end):
                        yield start
                    group_end = start + _page_bytes(read_at(file, start, 282))
            at += BLOCK_BYTES


def _page_bytes(page: bytes) -> int:
    """Length of the page of OGG that begins with these bytes: a header, and segments whose lengths it lists."""
    count = page[26] if len(page) > 26 else 0
    return 27 + count + sum(page[27 : 27 + count])
