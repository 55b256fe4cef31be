"""Present part of a file as a file of its own, to a reader that must not see the rest."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import NamedTuple

from funasr_cli.audio.leftover import leftover_bytes

MAX_JUMPS = 64
"""At most this many forward jumps of a reader are noted; readers jump to indexes and tags at the end of a file."""


class Patch(NamedTuple):
    """Bytes that a reader sees in place of those in the file."""

    at: int
    content: bytes


class FilePart(io.RawIOBase):
    """Bytes `start` to `end` of a file, read-only. Nothing is buffered, so memory does not depend on the length.

    Raises `OSError` if the file cannot be opened.
    """

    def __init__(self, path: Path, start: int = 0, end: int | None = None, patch: Patch | None = None) -> None:
        self.name = os.fspath(path)  # FFmpeg identifies formats without a header by their suffix
        self._file = path.open("rb", buffering=0)
        self.start = start
        self.end = os.fstat(self._file.fileno()).st_size if end is None else end
        self._size = self.end - start
        self._patch = patch
        self._at = 0
        self._furthest = 0
        self._jumps: list[int] = []

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        at = self.start + self._at
        if self._at > self._furthest and len(self._jumps) < MAX_JUMPS:
            self._jumps.append(self._at)
        data = os.pread(self._file.fileno(), left if size < 0 else min(size, left), at)
        self._at += len(data)
        self._furthest = max(self._furthest, self._at)
        return data if self._patch is None else _patched(data, at, self._patch)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def reopened(self) -> FilePart:
        """Open the same part once more. Raises `OSError`."""
        return FilePart(Path(self.name), self.start, self.end, self._patch)

    def unread_bytes(self) -> int:
        """Count the bytes after the last read that can be sound: up to data that was read earlier, such as tags."""
        end = min((jump for jump in self._jumps if jump >= self._at), default=self._size)
        return leftover_bytes(self, self._at, end)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def _patched(data: bytes, at: int, patch: Patch) -> bytes:
    """Apply the patch to `data`, which begins at byte `at` of the file."""
    first, last = max(at, patch.at), min(at + len(data), patch.at + len(patch.content))
    if first >= last:
        return data
    return data[: first - at] + patch.content[first - patch.at : last - patch.at] + data[last - at :]
