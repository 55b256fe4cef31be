"""Hotwords as a context graph: what a text gains from its hotwords, token by token while the search builds it.

An Aho-Corasick automaton (CACM 18, 1975) over token ids, as in contextual biasing of a beam search (Zhao et al.,
"Shallow-Fusion End-to-End Contextual Biasing", Interspeech 2019). While a hotword is being matched, part of its bonus
is advanced at each token, so that the search does not drop it half-way; a match that breaks gives back exactly what was
advanced. A step costs the same with ten hotwords and with ten thousand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from funasr_cli.decoding.ctc import BLANK

START = 0
"""The state in which no hotword is being matched."""

PER_TOKEN = 1.5
"""Nats for each token of a hotword after the first, at weight 1. The longer a word, the less likely a chance match, so
a long word may outweigh more evidence: words of two Chinese characters win if they are up to e^1.5 times less likely
than the alternative, words of four up to e^4.5. Chosen with a small model on words in noise: 1 misses more hotwords
that were said, 2 inserts more that nobody said."""

ONE_TOKEN = 1.0
"""Nats for a hotword of one token, at weight 1: no other token confirms the match."""

MAX_BONUS = 50.0
"""Upper bound of every bonus, in nats: no evidence could outweigh more, and odds are multiplied as floats."""

ADVANCE = 3.0
"""Upper bound of an advance, in nats. If all that a heavy hotword may earn were advanced, words that only begin like it
would push everything else out of the beam."""


class Spelling(NamedTuple):
    """A hotword in token ids, in one of the ways a model may write it. `weight`, above 0, multiplies its bonus."""

    tokens: Sequence[int]
    weight: float = 1.0


def bonus(length: int, weight: float) -> float:
    """Return what a hotword of `length` tokens earns, in nats, if no other hotword is inside it."""
    return min(weight * (PER_TOKEN * (length - 1) if length > 1 else ONE_TOKEN), MAX_BONUS)


class ContextGraph:
    """Hotwords, and how much more probable they make a text. States are numbers, `START` the first.

    Every occurrence of a hotword counts, even if two overlap. A hotword inside another adds nothing: together they earn
    as much as the longer one alone, or as the shorter ones inside it if that is more. Of two equal hotwords the heavier
    counts.

    `following[state]`: the next state of each token that continues a match.
    `fallback[state]`: the longest shorter match that `state` ends with, for when the match does not continue.
    `worth[state]`: the odds earned by all hotwords that end with `state`, times the odds advanced in it.
    `refund[state]`: one over the odds advanced in it. A step multiplies the odds of a text by the worth of the new
    state and the refund of the old one; at the end of the text, the refund of the last state is due.
    """

    def __init__(self, hotwords: Iterable[Spelling]) -> None:
        """Raise `ValueError` for a hotword without tokens or with a blank, and for a weight that is not above 0."""
        self.following: list[dict[int, int]] = [{}]
        self._parents, self._tokens, self._lengths = [START], [BLANK], [0]
        bonuses: dict[int, float] = {}
        for word, weight in hotwords:
            if len(word) == 0 or BLANK in word or not 0 < weight < math.inf:
                raise ValueError(f"not a hotword: tokens {list(word)}, weight {weight}")
            end = self._add(word)
            bonuses[end] = max(bonus(len(word), weight), bonuses.get(end, 0.0))
        size = len(self.following)
        by_length = sorted(range(1, size), key=self._lengths.__getitem__)
        self.fallback = [START] * size
        self._longest = [0] * size  # number of tokens of the longest hotword that ends with a state
        earned, own, inside = [0.0] * size, [0.0] * size, [0.0] * size
        for state in by_length:
            parent = self._parents[state]
            if parent != START:
                self.fallback[state] = self.step(self.fallback[parent], self._tokens[state])
            self._longest[state] = self._lengths[state] if state in bonuses else self._longest[self.fallback[state]]
            shorter = earned[self.fallback[state]]
            own[state] = max(0.0, bonuses.get(state, 0.0) - inside[parent] - shorter)
            earned[state] = own[state] + shorter
            inside[state] = inside[parent] + earned[state]
        advanced = self._advanced(own, by_length)
        self.worth = [math.exp(gain + advance) for gain, advance in zip(earned, advanced, strict=True)]
        self.refund = [math.exp(-advance) for advance in advanced]

    def step(self, state: int, token: int) -> int:
        """Return the state after `token`."""
        while state != START and token not in self.following[state]:
            state = self.fallback[state]
        return self.following[state].get(token, START)

    def matches(self, text: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the first and last index of each hotword in `text`; the longest of those that end at one index."""
        state = START
        for last, token in enumerate(text):
            state = self.step(state, token)
            if self._longest[state]:
                yield last - self._longest[state] + 1, last

    def _add(self, word: Sequence[int]) -> int:
        """Return the state in which `word` is complete."""
        state = START
        for token in word:
            following = self.following[state]
            if token not in following:
                following[token] = len(self.following)
                self.following.append({})
                self._parents.append(state)
                self._tokens.append(token)
                self._lengths.append(self._lengths[state] + 1)
            state = following[token]
        return state

    def _advanced(self, own: Sequence[float], by_length: Sequence[int]) -> list[float]:
        """Return the advance of each state, in nats: the matched part of the hotword that is worth most per token."""
        rates = [0.0] * len(own)
        for state in reversed(by_length):
            parent = self._parents[state]
            rates[parent] = max(rates[parent], rates[state], own[state] / self._lengths[state])
        advanced = [0.0] * len(own)
        for state in by_length:
            mine = min(rates[state] * self._lengths[state], ADVANCE)
            advanced[state] = max(mine, advanced[self.fallback[state]])
        return advanced
