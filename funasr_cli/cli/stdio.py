"""Standard input, output and error as the whole program has them, however they were handed to it.

A descriptor that is closed is the next one that a file is opened under, and what somebody prints then lands in that
file. So 0 to 2 are taken before anything else is opened.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO

from funasr_cli.errors import ReaderGone, StdoutError

ESCAPES = "funasr-escapes"
"""Error handler of the streams: what their encoding lacks comes as JSON has it, so that JSON stays JSON."""


def take_streams() -> None:
    """Make `sys.stdout` raise `StdoutError`, and `sys.stderr` pass over what it cannot write."""
    codecs.register_error(ESCAPES, _escaped)
    # Closed ones are opened the wrong way round, so that using them is an error as it was.
    for descriptor, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest number that is free, which is this one
    sys.stdout = _text(_Stdout(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Stderr(2, "w", closefd=False), sys.stderr)


class _Stdout(io.FileIO):
    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        try:
            return super().write(data)
        except OSError as error:
            _drop(self)  # the interpreter tries to write the rest as it ends, and would complain
            kind = ReaderGone if isinstance(error, BrokenPipeError) else StdoutError
            raise kind(error) from error


class _Stderr(io.FileIO):
    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """A log that is full or gone must not cost a recording; the manifest has it all."""
        try:
            return super().write(data)
        except OSError:
            return len(data)


def _drop(stream: io.FileIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _text(raw: io.FileIO, before: TextIO | None) -> TextIO:
    """A text stream like the one `before`, which is None where the descriptor was closed."""
    encoding = None if before is None else before.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, ESCAPES, line_buffering=True)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(lacking[index : index + 2], "big") for index in range(0, len(lacking), 2))
    return "".join(f"\\u{unit:04x}" for unit in units), error.end
