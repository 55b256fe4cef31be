"""Writers by format, and what all files share: encoding and line ends."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping

from funasr_cli.outputs.json import to_json
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.outputs.subtitles import to_srt, to_vtt
from funasr_cli.outputs.tsv import to_tsv
from funasr_cli.outputs.txt import TXT_LAYOUTS
from funasr_cli.transcript import Transcript

WRITERS: Mapping[str, Callable[[Transcript], str]] = {
    "srt": to_srt,
    "vtt": to_vtt,
    "json": to_json,
    "tsv": to_tsv,
}


def encode(kind: str, transcript: Transcript, layout: OutputLayout) -> bytes:
    """The bytes of a file in one format (`txt`, `srt`, `vtt`, `json`, `tsv`), in UTF-8."""
    text = (TXT_LAYOUTS[layout.txt] if kind == "txt" else WRITERS[kind])(transcript)
    if kind == "json":
        return text.encode()
    if layout.crlf:
        text = text.replace("\n", "\r\n")
    return (codecs.BOM_UTF8 if layout.bom else b"") + text.encode()
