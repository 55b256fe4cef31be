"""Which formats there are, how files are laid out and where they go, apart from what writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OUTPUT_FOLDER = "transcripts"
"""Where outputs are written unless a run says otherwise."""

STATE_DIR = ".funasr-cli"
"""Folder within the output folder for the state and the lock."""

FORMATS = ("txt", "srt", "vtt", "json", "tsv")
"""What `--format` takes; each has a writer in `outputs.writers`."""

TxtLayout = Literal["plain", "paragraphs", "timestamps"]


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """How files are laid out: `txt` as `--txt-layout` has it, with a byte order mark or CRLF for Windows programs.

    JSON has neither: its readers need none, and some take a byte order mark for a mistake.
    """

    txt: TxtLayout = "paragraphs"
    bom: bool = False
    crlf: bool = False
