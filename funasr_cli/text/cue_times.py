"""When a cue is shown: from its first word, long enough to be read, and with a gap before the next one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from funasr_cli.text.cue_layout import characters, columns
from funasr_cli.text.options import SegmentLimits
from funasr_cli.text.sentences import SENTENCE_END, ends_with
from funasr_cli.transcript import Token, join

MIN_SHOWN_S = 0.8
"""A cue is shown for at least this many seconds if the next one leaves time. `min_seconds` replaces this value."""

READING_COLUMNS_PER_S = 18.0
"""Columns that are read per second (9 Chinese characters). A cue is shown long enough for this if there is time."""

MIN_CUE_S = 0.001
"""The shortest time that a cue is shown, in seconds: the unit of SRT, so that every cue ends after its start."""

MIN_BEFORE_GAP_S = 0.3
"""A gap never shortens a cue to less than this many seconds: 7 frames at 24 per second, which can still be seen."""

Cue = Sequence[Token]


def cue_times(cues: Sequence[Cue], limits: SegmentLimits, duration: float = math.inf) -> Iterator[tuple[float, float]]:
    """Yield the start and end of each cue, in seconds; no cue ends after `duration`.

    A cue that is too short to be read stays during the silence after it. Without silence, it ends with its words.
    """
    shown = 0.0  # the end of the previous cue
    starts = [*(min(cue[0].start, duration - MIN_CUE_S) for cue in cues), duration]
    last = len(cues) - 1
    for at, (cue, begin, following) in enumerate(zip(cues, starts, starts[1:], strict=False)):
        start = max(shown, begin)
        wanted = max(cue[-1].until, start + _reading_time(join(cue), limits))
        if limits.strict:
            wanted = min(wanted, start + limits.seconds)
        end = min(wanted, following)
        if at < last and following - end < limits.gap:
            end = max(following - limits.gap, min(end, start + MIN_BEFORE_GAP_S))
        shown = max(end, start + MIN_CUE_S)
        yield start, shown


def join_short(
    cues: Sequence[Cue], limits: SegmentLimits, duration: float, can_be_laid_out: Callable[[Cue], bool]
) -> list[Cue]:
    """Join cues that cannot be shown for `limits.min_seconds` with a neighbour, if both fit into one cue.

    A neighbour in the same sentence is preferred, then the one that is nearer in time. Cues are not joined across a
    pause that always ends a cue, so no word is shown long before it is said.
    """
    joined = list(cues)
    at = 0
    while at < len(joined):
        if _has_time(joined, at, limits, duration):
            at += 1
            continue
        ways = sorted(
            (_apart(joined[left], joined[left + 1]), left) for left in (at - 1, at) if 0 <= left < len(joined) - 1
        )
        for (_, silence), left in ways:
            both = [*joined[left], *joined[left + 1]]
            in_time = both[-1].end - both[0].start <= limits.seconds and silence < 2 * limits.pause
            if in_time and both[0].language == both[-1].language and can_be_laid_out(both):
                joined[left : left + 2] = [both]
                at = max(0, left - 1)  # the previous cue has a new neighbour, so it is checked again
                break
        else:
            at += 1
    return joined


def _reading_time(text: str, limits: SegmentLimits) -> float:
    """Return the seconds that a reader needs for `text`, at least the shortest time that a cue is shown."""
    if limits.characters_per_s is None:
        reading = columns(text) / READING_COLUMNS_PER_S
    else:
        reading = characters(text) / limits.characters_per_s
    return max(MIN_SHOWN_S if limits.min_seconds is None else limits.min_seconds, reading)


def _has_time(cues: Sequence[Cue], at: int, limits: SegmentLimits, duration: float) -> bool:
    until = cues[at + 1][0].start - limits.gap if at + 1 < len(cues) else duration
    return until - cues[at][0].start >= (limits.min_seconds or 0.0)


def _apart(before: Cue, after: Cue) -> tuple[bool, float]:
    """Return whether a sentence ends between two cues, and the seconds of silence between them."""
    return ends_with(before[-1], SENTENCE_END), after[0].start - before[-1].until
