"""Greedy decoding, but for the places where a hotword wins."""

from __future__ import annotations

from bisect import bisect_right

from funasr_cli.decoding.beam import search
from funasr_cli.decoding.candidates import Candidates
from funasr_cli.decoding.context import ContextGraph
from funasr_cli.decoding.ctc import Emission, collapse


def decode_with_hotwords(candidates: Candidates, context: ContextGraph) -> list[Emission]:
    """What the search finds between the blanks around each hotword, and what greedy decoding gives everywhere else.

    A list of hotwords changes nothing where none of them is found: neither text nor times nor confidence.
    """
    greedy, found = collapse(candidates.path), search(candidates, context)
    numbers = [frame.number for frame in candidates.frames]
    starts = [number for number, before in zip(numbers, [-1, *numbers], strict=False) if number > before + 1]

    def stretch(emission: Emission) -> int:
        """Which one it is in, of the stretches of frames between those in which blank is sure."""
        return bisect_right(starts, emission.first)

    hot: set[int] = set()
    for first, last in context.matches([emission.token for emission in found]):
        hot.update(range(stretch(found[first]), stretch(found[last]) + 1))
    kept = [emission for emission in found if stretch(emission) in hot]
    kept += [emission for emission in greedy if stretch(emission) not in hot]
    return sorted(kept, key=lambda emission: emission.first)
