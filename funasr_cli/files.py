"""Atomic writes, hashes of files, and paths as text."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import BinaryIO

CHUNK_BYTES = 1 << 20

_SURROGATE = re.compile("[\ud800-\udfff]")


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def temporary_beside(path: Path) -> Path:
    """A unique hidden name in the folder of `path`, recognised by `is_temporary`.

    A file created under it with the ordinary calls respects the umask, unlike one from `tempfile`.
    """
    return path.with_name(f".{path.name[:40]}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}")


TEMPORARY_SUFFIX = ".funasr-tmp"


def is_temporary(path: Path) -> bool:
    """Whether `path` was named by `temporary_beside`."""
    return path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX)


@contextmanager
def atomic_file(path: Path, temporary: Path | None = None) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` at the end of the block; if anything raises, `path` is unchanged.

    `temporary` is a name from `temporary_beside(path)`, for callers that have to know what a killed process may leave.
    """
    temporary = temporary or temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_whole(path: Path, data: bytes, temporary: Path | None = None) -> None:
    """Write `data` to `path` atomically: the file holds either all of it or its previous content."""
    with atomic_file(path, temporary) as file:
        file.write(data)


def _sync_folder(folder: Path) -> None:
    """Flush a rename to the disk, if the file system supports it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def utf8_text(path: str | os.PathLike[str]) -> str | None:
    """Decode the bytes of a path as UTF-8, whatever the locale; None if they are not valid UTF-8."""
    try:
        return os.fsencode(path).decode()
    except UnicodeDecodeError:
        return None
    except UnicodeEncodeError:  # the locale cannot encode it
        return None if _SURROGATE.search(os.fspath(path)) else os.fspath(path)


def printable(path: str | os.PathLike[str]) -> str:
    """A path for messages, with escapes for what is not UTF-8 or not printable. For programs, see `json_paths`."""
    text = utf8_text(path)
    if text is None:
        text = os.fspath(path).encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def shell_quoted(path: str | os.PathLike[str]) -> str:
    """Quote a path for a shell such as Bash, as text if it is printable UTF-8, otherwise byte by byte."""
    text = utf8_text(path)
    if text is not None and text.isprintable():
        return quote(text)
    return f"$'{''.join(map(_in_dollar_quotes, os.fsencode(path)))}'"


def _in_dollar_quotes(byte: int) -> str:
    plain = 32 <= byte < 127 and byte not in b"\\'"
    return chr(byte) if plain else f"\\x{byte:02x}"


def megabytes(count: int) -> str:
    """Format a number of bytes for messages, in MB or GB (10⁶, 10⁹)."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
