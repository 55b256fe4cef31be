"""The outputs of a recording: their bytes, and how these get onto the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from funasr_cli.errors import OutputError, writing
from funasr_cli.files import write_whole
from funasr_cli.outputs.writers import encode
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import OutputWrite
from funasr_cli.transcript import Transcript


def encode_formats(transcript: Transcript, settings: Settings) -> dict[str, bytes]:
    """The content of the output of each format."""
    return {kind: encode(kind, transcript, settings.layout) for kind in settings.formats}


def hashes_of(contents: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 of each content."""
    return {kind: hashlib.sha256(data).hexdigest() for kind, data in contents.items()}


def write_outputs(writes: Iterable[OutputWrite], contents: Mapping[str, bytes]) -> None:
    """Write the outputs, by format. Raises `OutputError`."""
    for write in writes:
        with writing(write.path, OutputError):
            write.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(write.path, contents[write.format], write.temporary)
