"""Plain text in one of three layouts. If channels were transcribed separately, paragraphs are labelled with theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from funasr_cli.outputs.layout import TxtLayout
from funasr_cli.outputs.subtitles import clock, label
from funasr_cli.transcript import Paragraph, Transcript


def to_paragraphs(transcript: Transcript) -> str:
    """One paragraph per line; empty if nothing was said."""
    return "".join(f"{_labelled(paragraph)}\n" for paragraph in transcript.paragraphs)


def to_plain(transcript: Transcript) -> str:
    """The whole text on one line, for programs that count or compare; empty if nothing was said."""
    return " ".join(map(_labelled, transcript.paragraphs)) + "\n" if transcript.paragraphs else ""


def to_timestamped(transcript: Transcript) -> str:
    """One paragraph per line, after its start time, as `[00:01:02]`."""
    return "".join(
        f"[{_whole_seconds(paragraph.start)}] {_labelled(paragraph)}\n" for paragraph in transcript.paragraphs
    )


def _whole_seconds(seconds: float) -> str:
    return clock(seconds, ".").partition(".")[0]


def _labelled(paragraph: Paragraph) -> str:
    return label(paragraph.channel) + paragraph.text


TXT_LAYOUTS: Mapping[TxtLayout, Callable[[Transcript], str]] = {
    "plain": to_plain,
    "paragraphs": to_paragraphs,
    "timestamps": to_timestamped,
}
"""Writers by the value of `--txt-layout`."""
