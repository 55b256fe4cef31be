"""Makes a transcript from a recognition result: edits the text of each channel and merges the channels by time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from heapq import merge
from typing import TypeVar

from funasr_cli.text.editor import Editor
from funasr_cli.text.paragraphs import paragraphs
from funasr_cli.transcript import Correction, Recognition, Scene, Segment, Transcript

Item = TypeVar("Item", Segment, Scene, Correction)


def compose(recognition: Recognition, source: str, editor: Editor) -> Transcript:
    """Make the transcript of a recording; the transcript names it `source`."""
    duration = recognition.duration
    edited = {one.channel: editor.edit(one.tokens, one.language, duration) for one in recognition.channels}
    return Transcript(
        source=source,
        duration=duration,
        speech_seconds=recognition.speech_seconds,
        language=recognition.language,
        model=recognition.model,
        model_sha256=recognition.model_sha256,
        device=recognition.device,
        segments=_in_order((channel, text.segments) for channel, text in edited.items()),
        paragraphs=tuple(paragraphs({channel: text.tokens for channel, text in edited.items()})),
        warnings=recognition.warnings,
        scenes=_in_order((one.channel, one.scenes) for one in recognition.channels),
        corrections=_in_order((channel, text.corrections) for channel, text in edited.items()),
        extra_runs=recognition.extra_runs,
    )


def _in_order(channels: Iterable[tuple[int | None, Iterable[Item]]]) -> tuple[Item, ...]:
    """The items of all channels in order of time, each with its channel."""
    labelled = ([replace(item, channel=channel) for item in items] for channel, items in channels)
    return tuple(merge(*labelled, key=lambda item: item.start))
