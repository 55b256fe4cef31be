"""Greedy decoding, except where a hotword wins."""

from __future__ import annotations

from bisect import bisect_right

from funasr_cli.decoding.beam import search
from funasr_cli.decoding.candidates import Candidates
from funasr_cli.decoding.context import ContextGraph
from funasr_cli.decoding.ctc import Emission, collapse


def decode_with_hotwords(candidates: Candidates, context: ContextGraph) -> list[Emission]:
    """Return what the search finds between the blanks around each hotword, and greedy decoding everywhere else.

    If no hotword is found, the list of hotwords changes nothing: neither text nor times nor confidence.
    """
    greedy, found = collapse(candidates.path), search(candidates, context)
    numbers = [frame.number for frame in candidates.frames]
    starts = [number for number, before in zip(numbers, [-1, *numbers], strict=False) if number > before + 1]

    def stretch(emission: Emission) -> int:
        """Return the index of the token's stretch; frames in which blank is certain separate the stretches."""
        return bisect_right(starts, emission.first)

    hot: set[int] = set()
    for first, last in context.matches([emission.token for emission in found]):
        hot.update(range(stretch(found[first]), stretch(found[last]) + 1))
    kept = [emission for emission in found if stretch(emission) in hot]
    kept += [emission for emission in greedy if stretch(emission) not in hot]
    return sorted(kept, key=lambda emission: emission.first)
