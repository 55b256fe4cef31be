"""Tab-separated segments, for spreadsheets and scripts: start and end in milliseconds, text."""

from __future__ import annotations

from funasr_cli.transcript import Transcript


def to_tsv(transcript: Transcript) -> str:
    """A header, then a segment a line; tabs in the text become spaces."""
    rows = (
        f"{round(line.start * 1000)}\t{round(line.end * 1000)}\t{' '.join(line.text.split())}\n"
        for line in transcript.segments
    )
    return "start\tend\ttext\n" + "".join(rows)
