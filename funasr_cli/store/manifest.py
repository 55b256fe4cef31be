"""`manifest.jsonl`: a JSON object a line for each time a recording was worked on; the latest line of a file counts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from funasr_cli.errors import RecordError, writing

MANIFEST_NAME = "manifest.jsonl"
TAIL_BYTES = 1 << 20
"""Bytes at the end of the file in which lines are looked for that may be in it already."""


class Manifest:
    """Appends lines. Raises `RecordError` where that is not possible."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST_NAME

    def repair(self, unrecorded: Sequence[str]) -> None:
        """Remove a last line that was torn by a crash, and add the lines that are missing."""
        with writing(self._path, RecordError), self._path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - TAIL_BYTES))
            tail = file.read()
            if tail and not tail.endswith(b"\n"):
                torn = len(tail) - (tail.rfind(b"\n") + 1)
                file.truncate(end - torn)
                tail = tail[: len(tail) - torn]
        present = set(tail.splitlines())
        if missing := [line for line in unrecorded if line.encode() not in present]:
            self.append(missing)

    def append(self, lines: Sequence[str]) -> None:
        """Add lines, and be sure that they are on the disk."""
        with writing(self._path, RecordError), self._path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                data = "".join(f"{line}\n" for line in lines).encode()
                if file.write(data) != len(data):
                    raise OSError(28, os.strerror(28))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise


def as_line(entry: object) -> str:
    """One line of JSON."""
    return json.dumps(entry, ensure_ascii=False, separators=(", ", ": "))
