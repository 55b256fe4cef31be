"""Output formats, the layout of their files and where they go, without the code that writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OUTPUT_FOLDER = "transcripts"
"""Default folder for outputs."""

STATE_DIR = ".funasr-cli"
"""Folder within the output folder for the state and the lock."""

FORMATS = ("txt", "srt", "vtt", "json", "tsv")
"""Values of `--format`; each has a writer in `outputs.writers`."""

TxtLayout = Literal["plain", "paragraphs", "timestamps"]


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """Layout of the files: `txt` is `--txt-layout`; `bom` (byte order mark) and `crlf` are for Windows programs.

    JSON never has either: its readers do not need them, and some reject a byte order mark.
    """

    txt: TxtLayout = "paragraphs"
    bom: bool = False
    crlf: bool = False
