"""What the record holds: inputs as they were, transcripts and outputs as they were made."""

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
    """What tells cheaply whether a file is still the same."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileStat:
        """Of the file as it is now; raises `OSError`, also for what is no regular file and could block a reader."""
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True, slots=True)
class InputContent:
    """What a result is of: the looks and the hash of a file when it was opened; None where it could not be read."""

    stat: FileStat | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, path: Path) -> InputContent:
        """Of the file as it is now."""
        try:
            return cls(FileStat.of(path), sha256_of(path))
        except OSError:  # the decoder will say what is wrong with it
            return cls()


@dataclass(frozen=True, slots=True)
class KnownInput:
    """An input as it is remembered. `stat`, `sha256` and `settings` are None until it was worked on.

    There may be 100,000 of them, so `path` and `name` are made of bytes when somebody asks.
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
        """Where it lies."""
        return Path(os.fsdecode(self.raw_path))

    @property
    def name(self) -> PurePath:
        """Of its outputs, without the format's ending."""
        return PurePath(os.fsdecode(self.raw_name))

    def is_in(self, path: Path, stat: FileStat) -> bool:
        """Whether a file with these looks has the same content; it is only read if its size does not tell."""
        return self.stat is not None and stat.size == self.stat.size and sha256_of(path) == self.sha256


@dataclass(frozen=True, slots=True)
class WrittenOutput:
    """An output that was written: its key in the record, its format, and what it was made from."""

    key: bytes
    format: str
    recipe: str


def recipe_of(sha256: str | None, settings: str) -> str:
    """One hash of all that an output is made from: the input's content and the settings."""
    return hashlib.sha256(f"{sha256}\n{settings}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class OutputWrite:
    """An output to be written: its key in the record, what our file there holds now (None: there is none), and will."""

    key: bytes
    path: Path
    format: str
    present: str | None
    sha256: str
    temporary: Path


@dataclass(frozen=True, slots=True)
class TranscriptSummary:
    """What the record and the totals need to know of a transcript."""

    duration: float
    speech_seconds: float
    language: str | None
    device: str
    warnings: tuple[str, ...]
    empty: bool
    extra_runs: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, transcript: Transcript) -> TranscriptSummary:
        """Of this one."""
        return cls(
            transcript.duration,
            transcript.speech_seconds,
            transcript.language,
            transcript.device,
            transcript.warnings,
            empty=not transcript.segments,
            extra_runs=transcript.extra_runs,
        )
