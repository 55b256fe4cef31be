"""Split a text into subtitle lines that can be read in the time they are shown.

A line breaks at the end of a sentence or at a long pause. The text between two such places is split into the lines with
the least total cost: a break costs little after a comma or in a pause, much within a word, a hotword or a number; and
lines should be neither too wide, nor too long, nor so short that a character or two are left alone.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate, groupby, pairwise
from typing import TypeAlias

from funasr_cli.lexicon import cut
from funasr_cli.text.abbreviations import leads_on
from funasr_cli.text.clusters import is_joined
from funasr_cli.text.itn.chinese_context import is_measured
from funasr_cli.text.itn.chinese_numerals import NUMERALS
from funasr_cli.text.itn.english_numerals import NUMBER_WORDS
from funasr_cli.text.options import SegmentLimits
from funasr_cli.text.rewrite import text_of
from funasr_cli.text.sentences import ends_with, sentences
from funasr_cli.transcript import Segment, Token, join
from funasr_cli.unicode_ranges import HAN

CLAUSE_END = frozenset("，、；：,;:")
MIN_SHOWN_S = 0.8
"""Seconds that a line is shown at least, if the next line leaves enough time."""

READING_COLUMNS_PER_S = 18.0
"""Columns that are read per second, 9 Chinese characters: a line is shown for that long, if possible."""

ORPHAN_COLUMNS = 8
"""A line narrower than this, less than four Chinese characters, looks lost."""

UNPARTED = 100.0
"""The cost of a break that is made only if there is no other: within a katakana word, before a vowel sign."""

_HAN = re.compile(f"[{HAN}]")
_SPELLED = re.compile("[0-9A-Za-z][^\\W_]|[0-9A-Za-z]['’-]", re.ASCII)
"""Two characters of one word in a script with spaces."""

_KATAKANA = re.compile("[ァ-ヺー-ヿㇰ-ㇿｦ-ﾟ]+")
"""A Japanese loanword; a dot separates two of them."""

_NUMBER = re.compile(f"[{NUMERALS}]+(?:(?:点|分之)[{NUMERALS}]+)*")
_CLOCK = ("时", "点", "分", "届")
"""Characters after a number in the position of a measure word, though they are not measure words."""

_SPOKEN = re.compile("[A-Za-z]+")

_CLINGING = re.compile("[的地得了着过们吗呢吧啊呀嘛等里上下中内外后前]")
"""Words of one character that belong to the word before them."""

_LEADING = re.compile("[把被将让给对向从在由与和及或但而并且跟同以于为是第]$")
_LEADING_ENGLISH = re.compile(r"\b(a|an|the|of|to|in|on|at|by|for|with|from|and|or|but|that)$", re.IGNORECASE)
"""Words that belong to the next word."""

_ByLength: TypeAlias = "Mapping[int, Set[str]]"

MIN_CUE_S = 0.001
"""The time unit of SRT, in seconds: if tokens leave no time, a line still ends after its start."""


def segment(
    tokens: Sequence[Token],
    limits: SegmentLimits | None = None,
    hotwords: Set[str] = frozenset(),
    duration: float = math.inf,
) -> tuple[Segment, ...]:
    """Return lines in order of time: never empty, never overlapping, each within `limits` and in one language.

    No line ends after `duration`, in seconds.

    A line exceeds a limit only if it is a single token that does. `hotwords`, in lower case, stay on one line if
    possible.
    """
    limits = limits or SegmentLimits()
    by_length = defaultdict[int, set[str]](set)
    for word in hotwords:
        by_length[len(word)].add(word)
    lines: list[Sequence[Token]] = []
    for _, spoken in groupby((token for token in tokens if token.text.strip()), key=lambda token: token.language):
        for stretch in sentences(list(spoken), 2 * limits.pause):
            lines += _lines(stretch, limits, by_length)
    return tuple(_timed(lines, duration))


def columns(text: str) -> int:
    """Return the width of `text` in terminal columns: 2 for a wide character, 0 for a combining mark, 1 otherwise."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _lines(tokens: Sequence[Token], limits: SegmentLimits, hotwords: _ByLength) -> list[Sequence[Token]]:
    """Return the cheapest lines of the tokens between two places where a line must end.

    The unit of cost is a break between two words in fluent speech.
    """
    count = len(tokens)
    ends = [0, *accumulate(columns(token.text) for token in tokens)]
    begins = [end + len(token.text) - len(token.text.lstrip()) for end, token in zip(ends, tokens, strict=False)]
    seconds = tokens[-1].end - tokens[0].start
    pauses = [0.0, *(max(0.0, after.start - before.until) / limits.pause for before, after in pairwise(tokens))]
    if ends[-1] - begins[0] <= limits.columns and seconds <= limits.seconds and max(pauses) < 1:
        return [tokens]
    breaks = [*_breaks(tokens, pauses, hotwords), 0.0]
    costs, firsts = [0.0], [0]  # of the cheapest lines up to a token; first token of their last line
    for end in range(1, count + 1):
        best, first, until = math.inf, end - 1, tokens[end - 1].end
        for begin in range(end - 1, -1, -1):
            width = ends[end] - begins[begin]
            fits = width <= limits.columns and until - tokens[begin].start <= limits.seconds
            if not fits and begin < end - 1:
                break
            cost = costs[begin] + (1 - width / limits.columns) ** 2
            if width < ORPHAN_COLUMNS and end - begin < count:
                cost += 3.0
            if cost < best:
                best, first = cost, begin
        costs.append(best + breaks[end])
        firsts.append(first)
    lines: list[Sequence[Token]] = []
    end = count
    while end:
        lines.append(tokens[firsts[end] : end])
        end = firsts[end]
    return lines[::-1]


def _breaks(tokens: Sequence[Token], pauses: Sequence[float], hotwords: _ByLength) -> Iterator[float]:
    """Yield the cost of beginning a line with each token; `pauses` before them are in units of `limits.pause`."""
    text = text_of(tokens)
    words = {len(text), *(start for start, _ in cut(text))}
    numbers = list(_numbers(text, words))
    kept = _inside(match.span() for match in _KATAKANA.finditer(text))
    one = _inside([*numbers, *_found(text.lower(), hotwords)])
    counts = {end for _, end in numbers if is_measured(text[end : end + 4]) or text.startswith(_CLOCK, end)}
    at = 0
    before = Token("", 0.0, 0.0, 0.0)
    for token, pause in zip(tokens, pauses, strict=True):
        left, right = before.text, token.text
        begin = at + len(right) - len(right.lstrip())
        whole = begin in words and begin not in one and not _SPELLED.search(left[-1:] + right[:1])
        clings = begin + 1 in words and _CLINGING.match(text, begin)
        leads = (at - 1 in words and _LEADING.search(left)) or _LEADING_ENGLISH.search(left)
        yield (
            1.0
            - (3.0 if pause >= 1 else pause)
            - 0.8 * ends_with(before, CLAUSE_END)
            + 6.0 * (not whole)
            + UNPARTED * (begin in kept or is_joined(left, right))
            + 2.0 * bool(begin in counts or (left[-1:].isdigit() and _HAN.match(right)))  # 三十五 台, 35 台
            + 1.0 * bool(clings)
            + 0.5 * bool(leads)
            + 3.0 * leads_on(left)
        )
        at += len(right)
        before = token


def _numbers(text: str, words: Set[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each spoken number that begins at the start of one of the `words`, unlike 一 in 统一."""
    for match in _NUMBER.finditer(text):
        start = next((at for at in range(*match.span()) if at in words), match.end())
        if start < match.end():
            yield start, match.end()
    spoken = [match.span() for match in _SPOKEN.finditer(text) if match.group().lower() in NUMBER_WORDS]
    for (start, end), (after, until) in pairwise(spoken):
        if after - end == 1:
            yield start, until


def _found(text: str, hotwords: _ByLength) -> Iterator[tuple[int, int]]:
    """Yield start and end of each hotword in `text`, including those within others."""
    for length, words in hotwords.items():
        for start in range(len(text) - length + 1):
            if text[start : start + length] in words:
                yield start, start + length


def _inside(spans: Iterable[tuple[int, int]]) -> set[int]:
    return {at for start, end in spans for at in range(start + 1, end)}


def _timed(lines: Sequence[Sequence[Token]], duration: float) -> Iterator[Segment]:
    shown = 0.0  # the end of the line before
    starts = [*(min(line[0].start, duration - MIN_CUE_S) for line in lines), duration]
    for line, begin, following in zip(lines, starts, starts[1:], strict=False):
        start = max(shown, begin)
        read = start + max(MIN_SHOWN_S, columns(join(line)) / READING_COLUMNS_PER_S)
        shown = max(min(max(line[-1].until, read), following), start + MIN_CUE_S)
        yield Segment(start, shown, tuple(line), language=line[0].language)
