"""Combines the separately transcribed channels of a recording into one transcript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rapidfuzz.distance import Indel

from funasr_cli.audio.recording import Recording
from funasr_cli.callbacks import OnProgress
from funasr_cli.errors import InputError
from funasr_cli.transcript import Scene, Token, join

MAX_CHANNELS = 8
"""Each channel needs a pass over the recording, and conference systems have no more channels."""

MIN_SIMILARITY = 0.8
"""Similarity, 0 to 1, from which two texts count as the same speech; unrelated texts stay below one half."""

MIN_COMPARED_CHARS = 20
"""Minimum characters for comparing two texts: two people may greet each other in the same words."""


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """What was recognised in one channel of a recording, or in the mean of all channels if `channel` is None.

    Durations are in seconds, `languages` counts tokens by language, and `peak` is the largest magnitude of a sample.
    """

    channel: int | None
    duration: float
    speech_seconds: float
    languages: Counter[str]
    tokens: Sequence[Token]
    scenes: Sequence[Scene]
    warnings: Sequence[str]
    peak: float = 0.0


def check_number(recording: Recording) -> None:
    """Raise `InputError` if there are too many channels to transcribe separately."""
    if recording.channels > MAX_CHANNELS:
        raise InputError(
            f"has {recording.channels} channels; --channels split supports up to {MAX_CHANNELS}",
            where=recording.path,
            hint="--channels mix averages any number of channels.",
        )


def one_pass(on_progress: OnProgress, before: float, passes: int) -> OnProgress:
    """Report one of several passes to `on_progress` as its share of a single pass.

    `before` is the total length of the earlier passes, in seconds.
    """
    return lambda read, recognized, duration: on_progress(
        (before + read) / passes, (before + recognized) / passes, duration
    )


def without_copies(
    results: Sequence[ChannelResult], copies: Mapping[int, int], opposed: Collection[tuple[int, int]] = ()
) -> tuple[list[ChannelResult], list[str]]:
    """The results, and warnings about channels that are copies or have similar texts.

    `copies` maps each copied channel to its original; copies have no result of their own. `opposed` are pairs of
    channels of which one is inverted. If all channels are copies, speakers are unknown and the result has no channel.
    """
    spoke = {one.channel for one in results if one.tokens}
    if copies and len(results) == 1:
        warning = "all channels are identical: speakers cannot be told apart"
        return [replace(results[0], channel=None)], [warning] if spoke else []
    same = [
        f"channel {copy} is {'the inverse of' if (channel, copy) in opposed else 'the same as'} channel {channel} "
        "and was left out"
        for copy, channel in sorted(copies.items())
        if channel in spoke
    ]
    return list(results), [*same, *_alike(results, opposed)]


def _alike(results: Iterable[ChannelResult], opposed: Collection[tuple[int, int]]) -> Iterator[str]:
    texts = [(one.channel, join(one.tokens)) for one in results]
    for (channel, text), (other, other_text) in combinations(texts, 2):
        long = min(len(text), len(other_text)) >= MIN_COMPARED_CHARS
        if long and Indel.normalized_similarity(text, other_text, score_cutoff=MIN_SIMILARITY):
            if (channel, other) in opposed:
                advice = "one is the inverse of the other, so use the lines of only one"
            else:
                advice = "if they are not separate microphones, --channels mix writes the text once"
            yield f"channels {channel} and {other} have nearly the same text: {advice}"
