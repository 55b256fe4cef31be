"""Files that are whole or absent, and what identifies their content."""

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
    """A name that nobody else uses, in the folder of `path`, hidden, and recognisable by `is_temporary`.

    Files made under it with the ordinary calls respect the umask, unlike those of `tempfile`.
    """
    return path.with_name(f".{path.name[:40]}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}")


TEMPORARY_SUFFIX = ".funasr-tmp"


def is_temporary(path: Path) -> bool:
    """Whether `path` is a name that `temporary_beside` gave."""
    return path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX)


@contextmanager
def atomic_file(path: Path, temporary: Path | None = None) -> Iterator[BinaryIO]:
    """A file to be filled, which becomes `path` at the end; if that raises, `path` stays what it was.

    `temporary`, a name that `temporary_beside` gave for `path`, is what a killed process may leave.
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
    """Write a file so that `path` holds all of `data` or what it held before, whatever happens meanwhile."""
    with atomic_file(path, temporary) as file:
        file.write(data)


def _sync_folder(folder: Path) -> None:
    """Put a renaming on the disk, as far as the file system knows how."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def utf8_text(path: str | os.PathLike[str]) -> str | None:
    """The path as the text that its bytes are in UTF-8, whatever the locale takes them for; None if they are not."""
    try:
        return os.fsencode(path).decode()
    except UnicodeDecodeError:
        return None
    except UnicodeEncodeError:  # no path of this locale
        return None if _SURROGATE.search(os.fspath(path)) else os.fspath(path)


def printable(path: str | os.PathLike[str]) -> str:
    """A path for people: what is not UTF-8 or not printable comes as an escape. For programs: `json_paths`."""
    text = utf8_text(path)
    if text is None:
        text = os.fspath(path).encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def shell_quoted(path: str | os.PathLike[str]) -> str:
    """A path as a shell such as Bash takes it in a command, in UTF-8 if that is what it is."""
    text = utf8_text(path)
    if text is not None and text.isprintable():
        return quote(text)
    return f"$'{''.join(map(_in_dollar_quotes, os.fsencode(path)))}'"


def _in_dollar_quotes(byte: int) -> str:
    plain = 32 <= byte < 127 and byte not in b"\\'"
    return chr(byte) if plain else f"\\x{byte:02x}"


def megabytes(count: int) -> str:
    """A number of bytes for people, in MB or GB (10⁶, 10⁹)."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
