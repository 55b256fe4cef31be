"""Where a Chinese number ends if the next word has a numeral too: 一百四十|一直, 二零二六|两会, 周五|十三点.

A clause is split into numbers and dictionary words in the most probable way (Viterbi, over the edges of a lattice).
Numerals that belong to words are then hidden from the rules. If another split is nearly as probable, the whole number
is hidden and stays in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from funasr_cli.lexicon import surprise
from funasr_cli.text.itn.chinese_context import counts_others, is_measured
from funasr_cli.text.itn.chinese_costs import (
    MOBILE_DIGITS,
    fraction_cost,
    is_before_feast,
    is_before_mobile,
    number_cost,
)
from funasr_cli.text.itn.chinese_numerals import AMOUNT, HIDDEN, NUMERALS, digits
from funasr_cli.text.itn.chinese_words import words
from funasr_cli.unicode_ranges import HAN

MARGIN = 1.0
"""If another split of a clause is less than ten times as unlikely, the end of a number counts as unknown."""

COUNT_COST = 1.5
"""The least cost of a single digit after a code that counts what comes next: 三零二|两间."""

ADJACENT_COST = 1.5
"""Added for a number after the decimals of another."""

_CLAUSE = re.compile(f"[A-Za-z]?[{HAN}]*[{NUMERALS}点][{NUMERALS}][{HAN}]*[A-Za-z]?")
_RUN = re.compile(AMOUNT)
_MIXED = re.compile(f"(?<=[0-9])[{NUMERALS}]+|[{NUMERALS}]+(?=[0-9])")
_EXTENSION = re.compile("转[零〇一二三四五六七八九幺]")
_JOINT = re.compile("(?:[点时分月日号元块角毛度米比乘到至]|分钟|个月|小时|[百千万]分之){1,2}")
"""Joints between two numbers that get figures together or not at all."""


class _Edge(NamedTuple):
    """A word or a number, from one character to before another."""

    start: int
    end: int
    cost: float
    is_number: bool = False

    def part(self, start: int, end: int) -> tuple[int, int, bool]:
        """Return the part of the run from `start` to `end` that this edge covers, and whether it is a number."""
        return max(self.start, start), min(self.end, end), self.is_number

    def touches(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end


def hide_words(text: str) -> str:
    """Return `text` with `HIDDEN` for each numeral that belongs to a word, or to a number whose end is in doubt.

    Numerals next to figures (二0二六) are hidden too.
    """
    chars = list(_MIXED.sub(lambda match: HIDDEN * len(match[0]), text))
    for clause in _CLAUSE.finditer("".join(chars)):
        for at in _hidden(clause[0]):
            chars[clause.start() + at] = HIDDEN
    return "".join(chars)


def _hidden(text: str) -> set[int]:
    """Return the places of the numerals in a clause that do not belong to a number."""
    runs = [match.span() for match in _RUN.finditer(text)]
    in_run = [any(start <= at < end for start, end in runs) for at in range(len(text))]
    edges = [_Edge(*word) for word in words(text, in_run)]
    cuts = [_cuts(text, run, edges) for run in runs]
    if all(len(places) == 2 for places in cuts):
        return set()
    ends = {edge.end for edge in edges if edge.end - edge.start > 1}
    for (start, _), places in zip(runs, cuts, strict=True):
        edges += _numbers(text, start, places, is_part=start > 1 and in_run[start - 2], after_words=ends)
    lattice = _Lattice(edges, len(text))
    hidden: set[int] = set()
    doubtful: list[bool] = []
    for start, end in runs:
        is_contested = end - start > 1 or text[start - 1 : start] == "点"
        numerals = lattice.words_within(start, end) if is_contested else set()
        doubtful.append(numerals is None)
        hidden.update(numerals or ())
    for i, j in [*pairwise(range(len(runs))), *pairwise(reversed(range(len(runs))))]:
        if doubtful[i] and _JOINT.fullmatch(text, min(runs[i][1], runs[j][1]), max(runs[i][0], runs[j][0])):
            doubtful[j] = True
    return hidden.union(*(range(*run) for run, is_doubtful in zip(runs, doubtful, strict=True) if is_doubtful))


def _cuts(text: str, run: tuple[int, int], edges: Iterable[_Edge]) -> list[int]:
    """Return where a number may begin or end in a run of numerals: its ends, and those of words that overlap it."""
    start, end = run
    if number_cost(text[start:end], text[:start], text[end:]) is None:
        return list(range(start, end + 1))
    cuts = {start, end}
    for edge in edges:
        if edge.touches(start, end) and edge.end - edge.start > 1:
            cuts |= {at for at in (edge.start, edge.end) if start <= at <= end}
    plain = digits(text[start:end])
    if plain.isdigit() and end - start > 1:
        cuts |= {end - 1, (start + end) // 2}  # 三零二|两间, 九七|九八年
        cuts |= {end - MOBILE_DIGITS} if is_before_mobile(plain) else set()
        cuts |= {end - 2} if is_before_feast(plain) else set()
    elif counts_others(text[:start], text[end:]) and end - start > 1:
        cuts.add(end - 1)
    return sorted(cuts)


def _numbers(text: str, start: int, cuts: Sequence[int], is_part: bool, after_words: set[int]) -> Iterator[_Edge]:
    for i, begin in enumerate(cuts):
        for end in cuts[i + 1 :]:
            spoken, before, after = text[begin:end], text[:begin], text[end:]
            cost = None
            if is_part and begin == start and before[-1] in "点度块米":
                cost = fraction_cost(spoken, before, after)
            if cost is None:
                cost = number_cost(spoken, before, after, begin == start)
            if cost is None:
                continue
            cost += ADJACENT_COST * (is_part and begin > start)
            after_word = begin > start and begin in after_words
            if begin == start or end - begin > 1 or not digits(text[start:begin]).isdigit():
                yield _Edge(begin, end, cost, is_number=True)
            elif spoken not in "零〇":  # a single digit after other numerals
                # 三零零六元 may be one amount, and 八八六五三三转八零二 is a telephone number with an extension.
                counts = is_measured(after) and after[0] not in "元块" and not _EXTENSION.match(after)
                if counts:  # in doubt, a decimal stays in words as a whole: 九点八三秒 is not 9.8三秒
                    is_decimal = is_part and before[start - 1] == "点" and after[0] != "月"
                    yield _Edge(begin, end + 1, max(cost, COUNT_COST) + surprise(after[0]), is_decimal)
                if after_word or not counts:
                    yield _Edge(begin, end, cost if after_word else max(cost, COUNT_COST), is_number=True)


class _Lattice:
    """The edges of a clause of `size` characters, and the cheapest path through them."""

    def __init__(self, edges: Sequence[_Edge], size: int) -> None:
        self._edges = edges
        self._to, back = _cheapest(sorted(edges), size)
        turned = [_Edge(size - edge.end, size - edge.start, edge.cost) for edge in edges]
        self._from = _cheapest(sorted(turned), size)[0][::-1]
        self._best: list[_Edge] = []
        at = size
        while at:
            self._best.append(back[at])
            at = back[at].start

    def words_within(self, start: int, end: int) -> set[int] | None:
        """Return where words cover numerals of a run; None if the run is two numbers, or if that is uncertain."""
        parts = {edge.part(start, end) for edge in self._best if edge.touches(start, end)}
        others = (
            self._to[edge.start] + edge.cost + self._from[edge.end]
            for edge in self._edges
            if edge.touches(start, end) and edge.part(start, end) not in parts
        )
        margin = min(others, default=float("inf")) - self._to[-1]
        if margin < MARGIN or sum(is_number for *_, is_number in parts) > 1:
            return None
        return {at for begin, stop, is_number in parts if not is_number for at in range(begin, stop)}


def _cheapest(edges: Iterable[_Edge], size: int) -> tuple[list[float], dict[int, _Edge]]:
    """Return the least cost from the beginning to each place, and the last edge of that path; `edges` are in order."""
    costs = [0.0] + [float("inf")] * size
    back: dict[int, _Edge] = {}
    for edge in edges:
        if (cost := costs[edge.start] + edge.cost) < costs[edge.end]:
            costs[edge.end], back[edge.end] = cost, edge
    return costs, back
