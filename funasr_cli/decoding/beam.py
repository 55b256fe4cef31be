"""CTC prefix beam search, with hotwords.

Graves and Jaitly, "Towards End-to-End Speech Recognition with Recurrent Neural Networks", ICML 2014; Hannun et al.,
"First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs", arXiv:1408.2873. The
score of a text is the sum of the probabilities of all its alignments, times the odds that its hotwords earn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import heapify, heappush, heappushpop
from typing import TypeAlias

from funasr_cli.decoding.align import align
from funasr_cli.decoding.candidates import Candidates, Frame
from funasr_cli.decoding.context import START, ContextGraph
from funasr_cli.decoding.ctc import BLANK, Emission, collapse

WIDTH = 12
"""Texts kept after each frame. Five times as many find the same texts; a third loses hotwords that were spoken."""


class _Prefix:
    """A prefix of a text: the prefix before its last token, that token, and the context state after it.

    `after_blank` and `after_token` are the scores of its alignments that end in a blank and in its last token, each
    scaled per frame; `frame` is the last frame in which it was part of the beam.
    """

    __slots__ = ("after_blank", "after_token", "frame", "parent", "state", "token")

    def __init__(self, parent: _Prefix | None, token: int, state: int) -> None:
        self.parent, self.token, self.state = parent, token, state
        self.after_blank = self.after_token = 0.0
        self.frame = -1

    @property
    def score(self) -> float:
        return self.after_blank + self.after_token

    def before(self, token: int) -> float:
        """Return the score of the alignments that `token` can extend; a repeated token needs a blank before it."""
        return self.after_blank if token == self.token else self.after_blank + self.after_token


_Way: TypeAlias = "tuple[float, int, _Prefix, int, float, float]"
"""One way to extend a prefix: its score; a number that breaks ties; the prefix; the token that follows, or blank if
none does; the part of the score that ends in a blank, and the part that ends in a token."""


def search(candidates: Candidates, context: ContextGraph | None = None, width: int = WIDTH) -> list[Emission]:
    """Find the best text, in the form of greedy decoding, with the times and confidences of its best alignment.

    `width` is the number of texts kept after each frame. A text with many fair alignments may beat the text of the best
    alignment. A width of 1 without hotwords is greedy decoding by definition: a search that keeps one text with all its
    alignments may find neither the most probable text nor the text of the best alignment.
    """
    greedy = collapse(candidates.path)
    if context is None and width == 1:
        return greedy
    tokens = _Search(context or ContextGraph(()), width).best(candidates.frames)
    return greedy if tokens == [emission.token for emission in greedy] else align(candidates, tokens)


class _Search:
    """A search, and the prefixes it has met, keyed by their parent prefix and last token."""

    def __init__(self, context: ContextGraph, width: int) -> None:
        self._context = context
        self._width = width
        self._prefixes: dict[tuple[_Prefix, int], _Prefix] = {}

    def best(self, frames: Sequence[Frame]) -> list[int]:
        """Return the tokens of the best text."""
        root = _Prefix(None, BLANK, START)
        root.after_blank = 1.0
        beam, before = [root], -1
        for frame in frames:
            if frame.number > before + 1:
                beam = _behind_blanks(beam)
            beam = self._advance(beam, frame)
            before = frame.number
        prefix = max(beam, key=lambda prefix: prefix.score * self._context.refund[prefix.state])
        tokens = []
        while prefix.parent is not None:
            tokens.append(prefix.token)
            prefix = prefix.parent
        return tokens[::-1]

    def _advance(self, beam: Sequence[_Prefix], frame: Frame) -> list[_Prefix]:
        """Return the beam after one more frame, sorted best first."""
        best = frame.log_probs[0]
        odds = {label: math.exp(log_prob - best) for label, log_prob in zip(frame.labels, frame.log_probs, strict=True)}
        blank = odds.pop(BLANK, 0.0)
        chances = _Chances(self._context, odds, math.exp(frame.floor - best))
        scale = 1.0 / beam[0].score
        for prefix in beam:
            prefix.frame = frame.number
            prefix.after_blank *= scale
            prefix.after_token *= scale
        ways: list[_Way] = []
        for prefix in beam:
            after_blank = prefix.score * blank
            after_token = prefix.after_token * odds.get(prefix.token, 0.0)
            parent = prefix.parent
            if parent is not None and parent.frame == frame.number:  # in the beam too, and may grow into this prefix
                after_token += parent.before(prefix.token) * chances.of(parent.state).get(prefix.token, 0.0)
            if score := after_blank + after_token:
                ways.append((score, -len(ways), prefix, BLANK, after_blank, after_token))
        self._extend(ways, beam, chances)
        return [self._follow(way) for way in sorted(ways, reverse=True)]

    def _extend(self, ways: list[_Way], beam: Sequence[_Prefix], chances: _Chances) -> None:
        """Add the ways to prefixes outside the beam, and keep only the best of all ways."""
        heapify(ways)
        made = len(ways)
        least = ways[0][0] if len(ways) == self._width else 0.0
        for prefix in beam:
            others, same, last = prefix.score, prefix.after_blank, prefix.token
            for token, chance in chances.of(prefix.state).items():
                score = (same if token == last else others) * chance
                if score <= least or self._is_in_beam(prefix, token):
                    continue
                way = (score, -made, prefix, token, 0.0, score)
                made += 1
                if len(ways) < self._width:
                    heappush(ways, way)
                else:
                    heappushpop(ways, way)
                if len(ways) == self._width:
                    least = ways[0][0]

    def _is_in_beam(self, prefix: _Prefix, token: int) -> bool:
        """Whether the beam contains `prefix` extended by `token`."""
        longer = self._prefixes.get((prefix, token))
        return longer is not None and longer.frame == prefix.frame

    def _follow(self, way: _Way) -> _Prefix:
        _, _, prefix, token, after_blank, after_token = way
        if token != BLANK:
            longer = self._prefixes.get((prefix, token))
            if longer is None:
                longer = _Prefix(prefix, token, self._context.step(prefix.state, token))
                self._prefixes[prefix, token] = longer
            prefix = longer
        prefix.after_blank, prefix.after_token = after_blank, after_token
        return prefix


class _Chances:
    """Factors by which the tokens possible in a frame multiply a score, for each context state."""

    def __init__(self, context: ContextGraph, odds: dict[int, float], floor: float) -> None:
        """Take the `odds` of the tokens against the best label of the frame, and those of any other token (`floor`)."""
        self._context, self._odds, self._floor = context, odds, floor
        self._known: dict[int, dict[int, float]] = {}

    def of(self, state: int) -> dict[int, float]:
        """Return the factor of each token. Tokens that continue a match get at least the floor."""
        known = self._known.get(state)
        if known is None:
            known = self._known[state] = self._make(state)
        return known

    def _make(self, state: int) -> dict[int, float]:
        context, odds, floor = self._context, self._odds, self._floor
        following, refund = context.following[state], context.refund[state]
        if state == START:
            chances, floor = odds.copy(), 0.0  # a token that was not heard does not begin a hotword
        else:
            shorter = context.fallback[state]
            change = refund / context.refund[shorter]
            chances = {token: chance * change for token, chance in self.of(shorter).items()}
        for token in following if floor else following.keys() & odds.keys():
            chances[token] = odds.get(token, floor) * context.worth[following[token]] * refund
        return chances


def _behind_blanks(beam: Sequence[_Prefix]) -> list[_Prefix]:
    """Reduce a sorted beam where blank is certain: keep the best prefix of each context state.

    All prefixes of one state have the same future, so the best of them stays the best. This loses what the others would
    add to a text that several of them can become.
    """
    best: dict[int, _Prefix] = {}
    for prefix in beam:
        best.setdefault(prefix.state, prefix)
    for prefix in best.values():
        prefix.after_blank, prefix.after_token = prefix.score, 0.0
    return list(best.values())
