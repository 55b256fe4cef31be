"""Subtitles: SubRip and WebVTT."""

from __future__ import annotations

from funasr_cli.transcript import Segment, Transcript


def to_srt(transcript: Transcript) -> str:
    """SubRip: numbered cues with times as `00:00:01,500`. Cues of different channels may overlap."""
    return "\n".join(
        f"{number}\n{clock(line.start, ',')} --> {clock(line.end, ',')}\n{label(line.channel)}{_lines(line)}\n"
        for number, line in enumerate(transcript.segments, start=1)
    )


def to_vtt(transcript: Transcript) -> str:
    """WebVTT: times as `00:00:01.500`; `&`, `<` and `>` are escaped. A channel is a voice."""
    cues = (
        f"\n{clock(line.start, '.')} --> {clock(line.end, '.')}\n{_voice(line.channel)}{_escaped(_lines(line))}\n"
        for line in transcript.segments
    )
    return "WEBVTT\n" + "".join(cues)


def clock(seconds: float, separator: str) -> str:
    """A time as `00:00:01.500`, with `separator` before the milliseconds."""
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{separator}{milliseconds % 1000:03}"


def label(channel: int | None) -> str:
    """Prefix for the text of a channel: `[1] `; empty if there is no channel."""
    return "" if channel is None else f"[{channel}] "


def _lines(segment: Segment) -> str:
    return "\n".join(segment.lines)


def _voice(channel: int | None) -> str:
    return "" if channel is None else f"<v {channel}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
