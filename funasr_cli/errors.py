"""Errors the user can act on: what went wrong, where, and what to do about it.

`InputError`, `OutputError`, `Postponed`, and a model or device error that concerns one window, cost one recording.
Every other `FunasrError` ends the run with its exit code. Any other exception is either a refusal by the operating
system (`system.refusals`) or a bug in this program.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from funasr_cli import exit_codes
from funasr_cli.files import printable


class FunasrError(Exception):
    """What went wrong, the path it concerns (`where`), and what to do about it (`hint`)."""

    exit_code = exit_codes.FAILED

    def __init__(self, what: str, *, where: str | os.PathLike[str] | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else os.fspath(where)
        self.hint = hint

    def __str__(self) -> str:
        text = self.what if self.where is None else f"{printable(self.where)}: {self.what}"
        return text if self.hint is None else f"{text}\n  {self.hint}"


class InputError(FunasrError):
    """One recording cannot be transcribed; the others can."""


class Postponed(FunasrError):
    """The recording is not faulty, but must wait for a later run."""


class OutputError(FunasrError):
    """A result cannot be written."""


class UsageError(FunasrError):
    """The command line or the configuration is wrong."""

    exit_code = exit_codes.USAGE


class NoAudioError(FunasrError):
    """The named files and folders contain no audio."""

    exit_code = exit_codes.NO_AUDIO


class MachineError(FunasrError):
    """Something that the run needs is missing on this machine."""

    exit_code = exit_codes.MACHINE


class StdoutError(MachineError):
    """Standard output cannot be written, because of `error`."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")


class ReaderGone(StdoutError):
    """The reader of standard output is gone, as with `| head`; the run ends without a message."""

    exit_code = exit_codes.READER_GONE


class ModelError(MachineError):
    """A model is missing, incomplete or damaged."""


class DeviceError(MachineError):
    """The requested device cannot be used."""


class DeviceLost(DeviceError):
    """The device failed during a run or did not finish it in time. After a reset, the run can be repeated."""


class RecordError(FunasrError):
    """Transcripts are written, but the record of them cannot be."""

    exit_code = exit_codes.RECORD


class BusyError(FunasrError):
    """Another run is using the output folder."""

    exit_code = exit_codes.BUSY


@contextmanager
def reading(path: str | os.PathLike[str], kind: type[FunasrError], *, hint: str | None = None) -> Iterator[None]:
    """Turn an `OSError` in the block into `kind`: `path`, or the file that was opened below it, cannot be read."""
    try:
        yield
    except OSError as error:
        raise kind(f"cannot be read: {error.strerror or error}", where=error.filename or path, hint=hint) from error


@contextmanager
def writing(path: str | os.PathLike[str], kind: type[FunasrError], *, hint: str | None = None) -> Iterator[None]:
    """Turn an `OSError` in the block into `kind`: `path` cannot be written, even if a temporary file was opened."""
    try:
        yield
    except OSError as error:
        raise kind(f"cannot be written: {error.strerror or error}", where=path, hint=hint) from error
