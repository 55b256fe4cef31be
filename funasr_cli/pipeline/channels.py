"""The channels of a recording, each transcribed by itself, become one transcript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import combinations
from typing import TypeVar

from rapidfuzz.distance import Indel

from funasr_cli.audio.recording import Recording
from funasr_cli.callbacks import OnProgress
from funasr_cli.errors import InputError
from funasr_cli.text.editor import Edited
from funasr_cli.transcript import Correction, Scene, Segment, join

MAX_CHANNELS = 8
"""Each takes a pass over the recording, and conference systems have no more."""

MIN_SIMILARITY = 0.8
"""Similarity of two texts, 0 to 1, from which they are the same talk; different ones are less than half alike."""

MIN_COMPARED_CHARS = 20
"""Characters from which two texts are compared: two people may greet in the same words."""

Item = TypeVar("Item", Segment, Scene, Correction)


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """What was understood in a channel of a recording, or in the mean of all where `channel` is None.

    Durations are in seconds; `languages` counts the tokens of each; `peak` is the largest magnitude of a sample.
    """

    channel: int | None
    duration: float
    speech_seconds: float
    languages: Counter[str]
    edited: Edited
    scenes: Sequence[Scene]
    warnings: Sequence[str]
    peak: float = 0.0


def check_number(recording: Recording) -> None:
    """Raise `InputError` where there are too many channels to transcribe each."""
    if recording.channels > MAX_CHANNELS:
        raise InputError(
            f"has {recording.channels} channels; --channels split takes up to {MAX_CHANNELS}",
            where=recording.path,
            hint="--channels mix averages any number.",
        )


def one_pass(on_progress: OnProgress, before: float, passes: int) -> OnProgress:
    """Reports several passes to `on_progress` as one; `before` is how many seconds the earlier passes had."""
    return lambda read, recognized, duration: on_progress(
        (before + read) / passes, (before + recognized) / passes, duration
    )


def in_order(results: Iterable[ChannelResult], items: Callable[[ChannelResult], Iterable[Item]]) -> tuple[Item, ...]:
    """The items of all channels in order of time, each with its channel."""
    channels = ([replace(item, channel=one.channel) for item in items(one)] for one in results)
    return tuple(merge(*channels, key=lambda item: item.start))


def without_copies(
    results: Sequence[ChannelResult], copies: Mapping[int, int], opposed: Collection[tuple[int, int]] = ()
) -> tuple[list[ChannelResult], list[str]]:
    """What was heard, `copies` of other channels left out, and what is to be said of that and of texts that are alike.

    `opposed` are the pairs of which one is inverted. If there are only copies, nothing is known of who spoke, and there
    are no channels.
    """
    spoke = {one.channel for one in results if one.edited.tokens}
    if copies and len(results) == 1:
        warning = "all channels are the same: who spoke is not known"
        return [replace(results[0], channel=None)], [warning] if spoke else []
    same = [
        f"channel {copy} is {'the inverse of' if (channel, copy) in opposed else 'the same as'} channel {channel} "
        "and was left out"
        for copy, channel in sorted(copies.items())
        if channel in spoke
    ]
    return list(results), [*same, *_alike(results, opposed)]


def _alike(results: Iterable[ChannelResult], opposed: Collection[tuple[int, int]]) -> Iterator[str]:
    texts = [(one.channel, join(one.edited.tokens)) for one in results]
    for (channel, text), (other, other_text) in combinations(texts, 2):
        long = min(len(text), len(other_text)) >= MIN_COMPARED_CHARS
        if long and Indel.normalized_similarity(text, other_text, score_cutoff=MIN_SIMILARITY):
            if (channel, other) in opposed:
                advice = "one is the other inverted, so use the lines of one of them"
            else:
                advice = "if they are no separate microphones, --channels mix writes it once"
            yield f"channels {channel} and {other} have much the same text: {advice}"
