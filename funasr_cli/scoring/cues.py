"""Read subtitle files of any tool: SubRip and WebVTT as start times and lines of text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import groupby

_TIME = r"(?:([0-9]+):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{1,3}))?"
TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
SRT_MARKUP = re.compile(r"</?(?:[biu]|font\b[^>]*)>|\{\\[^}]*\}", re.IGNORECASE)
CHANNEL = re.compile(r"^\[[0-9]\] ")
"""The label that funasr-cli writes before the text of a channel."""

VTT_TAG = re.compile(r"<[^>]*>")
VTT_NO_CUES = ("WEBVTT", "NOTE", "STYLE", "REGION")
"""First words of WebVTT blocks that are not cues."""

Cue = tuple[float, str]
"""Start in seconds, and the text on one line."""


def read_srt(text: str) -> Iterator[Cue]:
    """Yield the cues of a SubRip file, without the usual markup and funasr-cli's channel labels.

    Raises `ValueError` with the number of the wrong line.
    """
    for block in _blocks(text):
        start, line = _cue(block)
        yield start, CHANNEL.sub("", SRT_MARKUP.sub("", line))


def read_vtt(text: str) -> Iterator[Cue]:
    """Yield the cues of a WebVTT file, without tags and escapes. Raises like `read_srt`."""
    if not text.startswith("WEBVTT"):
        raise ValueError("line 1: expected WEBVTT")
    for block in _blocks(text):
        if block[0][1].startswith(VTT_NO_CUES) and not any(TIMING.fullmatch(line) for _, line in block):
            continue
        start, line = _cue(block)
        yield start, html.unescape(VTT_TAG.sub("", line))


def _blocks(text: str) -> Iterator[list[tuple[int, str]]]:
    """Yield runs of lines that are not empty, each line with its number."""
    for empty, lines in groupby(enumerate(text.split("\n"), start=1), key=lambda line: not line[1].strip()):
        if not empty:
            yield list(lines)


def _cue(block: list[tuple[int, str]]) -> Cue:
    """Read a cue: perhaps a number or a name, then its times, then its text."""
    times = [(at, found) for at, (_, line) in enumerate(block) if (found := TIMING.fullmatch(line))]
    if not times or times[0][0] > 1:
        raise ValueError(f"line {block[0][0]}: expected the times of a cue, such as 00:00:01,500 --> 00:00:03,000")
    if len(times) > 1:
        raise ValueError(f"line {block[times[1][0]][0]}: expected an empty line before a cue")
    at, found = times[0]
    hours, minutes, seconds, fraction = found.groups()[:4]
    start = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction or 0}")
    return start, " ".join(line for _, line in block[at + 1 :])
