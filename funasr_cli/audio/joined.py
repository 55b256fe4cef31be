"""Recordings that were concatenated in one file, as if by `cat`."""

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
"""Header patterns of formats that do not state where a recording ends, by its first four bytes: FLAC with its
STREAMINFO, an OGG stream with its first page, AMR, FLV, and Matroska with the name of the format in its header."""

SPLIT_FIRST = (b"fLaC", b"OggS", b"#!AM")
"""Formats in which FFmpeg would take the next recording for a continuation of the first. They have no pictures, so
files are small enough to be searched."""

OVERLAP_BYTES = 128
"""Blocks overlap by this, so that no header is missed at a boundary."""


class JoinedRecording(Recording):
    """The recordings in a file, one after another; `opened` opens each when it is due.

    `later` are those known in advance; others are found only after the one before them has been read.
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
                    self.warnings.append(f"a further recording at byte {extent.start} cannot be read: {error.what}")
            else:
                yield self._current

    def close(self) -> None:
        self._current.close()


def split(path: Path) -> list[Extent]:
    """Return all recordings in a file of a format in `SPLIT_FIRST`; empty if there is only one."""
    with path.open("rb") as file:
        if read_at(file, 0, 4) not in SPLIT_FIRST:
            return []
    starts = [0, *later_starts(path)]
    return [Extent(start or 0, end) for start, end in pairwise([*starts, None])] if len(starts) > 1 else []


def later_starts(path: Path, at: int = 0) -> Iterator[int]:
    """Yield where recordings begin in a file, from byte `at` on, except the first of the file.

    Parallel OGG streams begin with adjacent first pages; these count as one recording.
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
    """Return the length of the OGG page that begins with these bytes: a header, and segments whose lengths it lists."""
    count = page[26] if len(page) > 26 else 0
    return 27 + count + sum(page[27 : 27 + count])
