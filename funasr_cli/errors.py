"""Errors a person can act on: what went wrong, where, and what to do about it.

`InputError`, `OutputError`, `Postponed`, and an error of a model or a device that concerns one window, cost one
recording. Every other one ends the run with its exit code. Anything that is not a `FunasrError` is what the system
refuses (`system.refusals`), or a bug in this program.
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
    """Nothing is wrong with the recording, but it is not to be done now."""


class OutputError(FunasrError):
    """A result cannot be written."""


class UsageError(FunasrError):
    """The command line asks for something that makes no sense."""

    exit_code = exit_codes.USAGE


class NoAudioError(FunasrError):
    """Nothing in what was named is audio."""

    exit_code = exit_codes.NO_AUDIO


class MachineError(FunasrError):
    """The machine lacks something the run needs."""

    exit_code = exit_codes.MACHINE


class StdoutError(MachineError):
    """Standard output cannot be written, for which `error` is the reason."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")


class ReaderGone(StdoutError):
    """Nobody reads standard output any more, as with `| head`: the run ends, and says nothing."""

    exit_code = exit_codes.READER_GONE


class ModelError(MachineError):
    """A model is missing, incomplete or not what it should be."""


class DeviceError(MachineError):
    """The device asked for cannot be used."""


class DeviceLost(DeviceError):
    """The device failed in a run, or did not end it in time. It has to be reset; the run can be made again then."""


class RecordError(FunasrError):
    """Transcripts are written, but the record of it cannot be."""

    exit_code = exit_codes.RECORD


class BusyError(FunasrError):
    """Another run holds the output folder."""

    exit_code = exit_codes.BUSY


@contextmanager
def reading(path: str | os.PathLike[str], kind: type[FunasrError], *, hint: str | None = None) -> Iterator[None]:
    """Turn an `OSError` within into one of `kind`: `path`, or the file below it that was opened, cannot be read."""
    try:
        yield
    except OSError as error:
        raise kind(f"cannot be read: {error.strerror or error}", where=error.filename or path, hint=hint) from error


@contextmanager
def writing(path: str | os.PathLike[str], kind: type[FunasrError], *, hint: str | None = None) -> Iterator[None]:
    """Turn an `OSError` within into one of `kind`: `path` cannot be written, whatever the name it was written under."""
    try:
        yield
    except OSError as error:
        raise kind(f"cannot be written: {error.strerror or error}", where=path, hint=hint) from error
