"""Plain text, a paragraph a line."""

from __future__ import annotations

from funasr_cli.transcript import Transcript


def to_txt(transcript: Transcript) -> str:
    """The paragraphs, each followed by a line feed; nothing where nothing was said."""
    return "".join(f"{paragraph}\n" for paragraph in transcript.paragraphs)
