"""Standard input, output and error, made safe however they were inherited.

If one of the descriptors 0 to 2 is closed, the next file to be opened gets its number, and whatever is printed ends up
in that file. So all three are occupied before anything else is opened.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO

from funasr_cli.errors import ReaderGone, StdoutError

ESCAPES = "funasr-escapes"
"""Error handler of the streams: characters missing from their encoding become JSON escapes, so JSON stays valid."""


def take_streams() -> None:
    """Make `sys.stdout` raise `StdoutError`, and `sys.stderr` drop what it cannot write."""
    codecs.register_error(ESCAPES, _escaped)
    # Closed descriptors are opened in the wrong direction, so that using them remains an error.
    for descriptor, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest free number, which is this one
    sys.stdout = _text(_Stdout(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Stderr(2, "w", closefd=False), sys.stderr)


class _Stdout(io.FileIO):
    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        try:
            return super().write(data)
        except OSError as error:
            _drop(self)  # at exit the interpreter flushes the rest, and would complain
            kind = ReaderGone if isinstance(error, BrokenPipeError) else StdoutError
            raise kind(error) from error


class _Stderr(io.FileIO):
    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Write, or drop the data: a log that is full or gone must not cost a recording. The manifest has it all."""
        try:
            return super().write(data)
        except OSError:
            return len(data)


def _drop(stream: io.FileIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _text(raw: io.FileIO, before: TextIO | None) -> TextIO:
    """A text stream with the encoding of the one `before`, which is None if the descriptor was closed."""
    encoding = None if before is None else before.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, ESCAPES, line_buffering=True)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(lacking[index : index + 2], "big") for index in range(0, len(lacking), 2))
    return "".join(f"\\u{unit:04x}" for unit in units), error.end
