"""The outputs of a recording: their bytes, and writing them without losing a file that is already there."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, count
from pathlib import Path

from funasr_cli.errors import OutputError
from funasr_cli.files import sha256_of, write_whole
from funasr_cli.outputs.writers import encode
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import OutputWrite
from funasr_cli.transcript import Transcript

NAME_ERRORS = {errno.ENOENT, errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG}
"""Errors with which file systems reject a name; exFAT reports that there is no such file."""

NAME_HINT = (
    "The file system may not allow this name: rename the recording or its folder, or choose a folder on another disk "
    "with -o DIR."
)


def encode_formats(transcript: Transcript, settings: Settings) -> dict[str, bytes]:
    """The content of the output of each format."""
    return {kind: encode(kind, transcript, settings.layout) for kind in settings.formats}


def hashes_of(contents: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 of the content of each format."""
    return {kind: hashlib.sha256(data).hexdigest() for kind, data in contents.items()}


def choose_path(
    target: Path, kind: str, sha256: str, ours: Callable[[Path], set[str] | None]
) -> tuple[Path, str | None]:
    """Choose where to write an output so that nothing is lost; also returns the hash of the file there now, if any.

    The path is `target` with the extension of the format, or else the first of its `.new` names, that is free or holds
    what we left there or are about to write. A file that somebody edited is never chosen. `ours` gives the hashes by
    which a file is known as ours; None if the path belongs to another recording.
    """
    endings = chain([kind, f"new.{kind}"], (f"new{number}.{kind}" for number in count(2)))
    for path in (target.with_name(f"{target.name}.{ending}") for ending in endings):
        known = ours(path)
        if known is None:
            continue
        present = sha256_of(path) if os.path.lexists(path) else None
        if present is None or present in known or present == sha256:
            break
    return path, present


def write_outputs(writes: Iterable[OutputWrite], contents: Mapping[str, bytes]) -> None:
    """Write the outputs; `contents` has the bytes by format. Raises `OutputError`."""
    for write in writes:
        try:
            write.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(write.path, contents[write.format], write.temporary)
        except OSError as error:
            hint = NAME_HINT if error.errno in NAME_ERRORS else None
            raise OutputError(f"cannot be written: {error.strerror or error}", where=write.path, hint=hint) from error
