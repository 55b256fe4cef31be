"""One small writer for each output format: a transcript in, the text of the file out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from funasr_cli.outputs.json import to_json
from funasr_cli.outputs.subtitles import to_srt, to_vtt
from funasr_cli.outputs.tsv import to_tsv
from funasr_cli.outputs.txt import to_txt
from funasr_cli.transcript import Transcript

WRITERS: Mapping[str, Callable[[Transcript], str]] = {
    "txt": to_txt,
    "srt": to_srt,
    "vtt": to_vtt,
    "json": to_json,
    "tsv": to_tsv,
}
"""Format → what makes the content of its file, UTF-8 and LF."""
