"""Tab-separated segments, for spreadsheets and scripts: start and end in milliseconds, text.

If channels were transcribed separately, a last column has the channel.
"""

from __future__ import annotations

from funasr_cli.transcript import Transcript


def to_tsv(transcript: Transcript) -> str:
    """A header, then one segment per line; tabs in the text become spaces."""
    rows = (
        f"{round(line.start * 1000)}\t{round(line.end * 1000)}\t{' '.join(line.text.split())}"
        + ("\n" if line.channel is None else f"\t{line.channel}\n")
        for line in transcript.segments
    )
    split = any(line.channel is not None for line in transcript.segments)
    return "start\tend\ttext" + ("\tchannel\n" if split else "\n") + "".join(rows)
