"""Entries of the record: inputs as they were, and the transcripts and outputs made from them."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from funasr_cli.files import sha256_of
from funasr_cli.transcript import Transcript


@dataclass(frozen=True, slots=True)
class FileStat:
    """A cheap test whether a file is still the same."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileStat:
        """The stat of the file now. Raises `OSError`, also if it is not a regular file, which could block a reader."""
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True, slots=True)
class InputContent:
    """What a result was made from: stat and hash of the file when it was opened; None if it could not be read."""

    stat: FileStat | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, path: Path) -> InputContent:
        """The content of the file now."""
        try:
            return cls(FileStat.of(path), sha256_of(path))
        except OSError:  # the decoder will report what is wrong with it
            return cls()


@dataclass(frozen=True, slots=True)
class KnownInput:
    """An input on record. `stat`, `sha256` and `settings` are None until it has been processed.

    There may be 100,000 of them, so `path` and `name` are decoded from bytes only on demand.
    """

    id: int
    raw_path: bytes
    raw_name: bytes
    stat: FileStat | None
    sha256: str | None
    status: str | None
    settings: str | None
    attempts: int

    @property
    def path(self) -> Path:
        """Absolute path of the recording."""
        return Path(os.fsdecode(self.raw_path))

    @property
    def name(self) -> PurePath:
        """Name of its outputs, without the extension of the format."""
        return PurePath(os.fsdecode(self.raw_name))

    def unchanged_stat(self, path: Path) -> FileStat | None:
        """The stat of the file at `path` if its content is the same, else None. Raises `OSError` if it is gone."""
        stat = FileStat.of(path)
        return stat if stat == self.stat or self.is_in(path, stat) else None

    def is_in(self, path: Path, stat: FileStat) -> bool:
        """Whether the file at `path`, with this stat, has the input's content; it is read only if the sizes match."""
        return self.stat is not None and stat.size == self.stat.size and sha256_of(path) == self.sha256


@dataclass(frozen=True, slots=True)
class FinishedInput:
    """An input that is done, its place in the tree that outputs mirror, and the formats of its outputs.

    `beside`: all of these were written next to the recording.
    """

    known: KnownInput
    relative: PurePath
    formats: tuple[str, ...]
    beside: bool


@dataclass(frozen=True, slots=True)
class WrittenOutput:
    """An output that was written: its key in the record, its format, and a hash of what it was made from."""

    key: bytes
    format: str
    recipe: str


def recipe_of(sha256: str | None, settings: str) -> str:
    """One hash of everything an output is made from: the input's content and the settings."""
    return hashlib.sha256(f"{sha256}\n{settings}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class OutputWrite:
    """An output to be written.

    `key` is its key in the record, `present` the hash of the file there now (None: no file), `sha256` that of the new
    content, `temporary` the path under which it is written first.
    """

    key: bytes
    path: Path
    format: str
    present: str | None
    sha256: str
    temporary: Path


@dataclass(frozen=True, slots=True)
class TranscriptSummary:
    """What the record and the totals need of a transcript."""

    duration: float
    speech_seconds: float
    language: str | None
    device: str
    warnings: tuple[str, ...]
    empty: bool
    extra_runs: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, transcript: Transcript) -> TranscriptSummary:
        """The summary of a transcript."""
        return cls(
            transcript.duration,
            transcript.speech_seconds,
            transcript.language,
            transcript.device,
            transcript.warnings,
            empty=not transcript.segments,
            extra_runs=transcript.extra_runs,
        )
