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
from typing import NamedTuple, TypeAlias

from funasr_cli.lexicon import cut
from funasr_cli.text.abbreviations import leads_on
from funasr_cli.text.clusters import is_joined
from funasr_cli.text.cue_layout import ONE_LINE, CueLayout, columns, strict_columns
from funasr_cli.text.cue_times import cue_times, join_short
from funasr_cli.text.itn.chinese_context import is_measured
from funasr_cli.text.itn.chinese_numerals import NUMERALS
from funasr_cli.text.itn.english_numerals import NUMBER_WORDS
from funasr_cli.text.options import SegmentLimits
from funasr_cli.text.quantities import quantities
from funasr_cli.text.rewrite import text_of
from funasr_cli.text.sentences import ends_with, sentences
from funasr_cli.transcript import Segment, Token
from funasr_cli.unicode_ranges import HAN

CLAUSE_END = frozenset("，、；：,;:")
ORPHAN_COLUMNS = 8
"""A line narrower than this, less than four Chinese characters, looks lost."""

UNPARTED = 100.0
"""The cost of a break that is made only if there is no other: within a katakana word, before a vowel sign."""

_HAN = re.compile(f"[{HAN}]")
_SPELLED = re.compile("[0-9A-Za-z][^\\W_]|[0-9A-Za-z]['’-]", re.ASCII)
"""Two characters of one word in a script with spaces."""

_LETTER = "0-9A-Za-z\u00c0-\u024f\u0370-\u052f\u1e00-\u1eff"
_SPELLED_STRICTLY = re.compile(f"[{_LETTER}][{_LETTER}'’-]|['’-][{_LETTER}]")
"""The same with accented, Greek and Cyrillic letters, and also between a hyphen or apostrophe and the next letter."""

_OPENING = ("Ps", "Pi")
"""Unicode categories of opening brackets and quotation marks."""

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


def segment(
    tokens: Sequence[Token],
    limits: SegmentLimits | None = None,
    hotwords: Set[str] = frozenset(),
    duration: float = math.inf,
) -> tuple[Segment, ...]:
    """Return cues in order of time: never empty, never overlapping, each within `limits` and in one language.

    No cue ends after `duration`, in seconds.

    A cue is wider or longer than the limits only if it is a single token that is. `hotwords`, in lower case, stay on
    one line if possible. The result depends on nothing but the arguments.
    """
    limits = limits or SegmentLimits()
    by_length = defaultdict[int, set[str]](set)
    for word in hotwords:
        by_length[len(word)].add(word)
    cues: list[Sequence[Token]] = []
    for _, spoken in groupby((token for token in tokens if token.text.strip()), key=lambda token: token.language):
        for stretch in sentences(list(spoken), 2 * limits.pause):
            cues += _lines(stretch, limits, by_length)
    if limits.min_seconds is not None:
        cues = join_short(cues, limits, duration, lambda cue: _line_breaks(cue, limits, by_length) is not None)
    times = cue_times(cues, limits, duration)
    return tuple(
        Segment(start, end, tuple(cue), language=cue[0].language, breaks=_line_breaks(cue, limits, by_length) or ())
        for cue, (start, end) in zip(cues, times, strict=True)
    )


class _Stretch(NamedTuple):
    """The tokens between two places where a cue must end, in pieces that stay whole; without `strict`, single tokens.

    `starts` has the index of the first token of each piece, and at the end the number of tokens. `breaks` has the cost
    of a break before each of these tokens.
    """

    starts: Sequence[int]
    breaks: Sequence[float]
    layout: CueLayout


def _lines(tokens: Sequence[Token], limits: SegmentLimits, hotwords: _ByLength) -> list[Sequence[Token]]:
    """Return the cheapest cues of the tokens between two places where a cue must end.

    The unit of cost is a break between two words in fluent speech.
    """
    pauses = _pauses(tokens, limits)
    in_time = tokens[-1].end - tokens[0].start <= limits.seconds and max(pauses) < 1
    if in_time and _is_one_line(tokens, limits):
        return [tokens]
    starts, breaks, layout = _stretch(tokens, pauses, limits, hotwords)
    count = len(starts) - 1
    if in_time and layout.lay_out(0, count, limits.lines):
        return [tokens]
    costs, firsts = [0.0], [0]  # for the cheapest cues up to each piece: their cost, first piece of the last
    since = [tokens[start].start for start in starts[:-1]]
    room = limits.lines * limits.columns
    for end in range(1, count + 1):
        best, first, until = math.inf, end - 1, tokens[starts[end] - 1].end
        for begin in range(end - 1, -1, -1):
            width = layout.width(begin, end)
            lines = ONE_LINE if width <= limits.columns else layout.lay_out(begin, end, limits.lines)
            if begin < end - 1 and (lines is None or until - since[begin] > limits.seconds):
                break
            cost = costs[begin] + (1 - width / room) ** 2 + (lines[0] if lines else 0.0)
            if width < ORPHAN_COLUMNS and end - begin < count:
                cost += 3.0
            if limits.min_seconds is not None and end < count:
                cost += 3.0 * (since[end] - limits.gap - since[begin] < limits.min_seconds)
            if cost < best:
                best, first = cost, begin
        costs.append(best + breaks[end])
        firsts.append(first)
    cues: list[Sequence[Token]] = []
    end = count
    while end:
        cues.append(tokens[starts[firsts[end]] : starts[end]])
        end = firsts[end]
    return cues[::-1]


def _line_breaks(tokens: Sequence[Token], limits: SegmentLimits, hotwords: _ByLength) -> tuple[int, ...] | None:
    """Return the indices of the tokens that begin the second and further lines of a cue; None if it does not fit."""
    if _is_one_line(tokens, limits):
        return ()
    starts, _, layout = _stretch(tokens, _pauses(tokens, limits), limits, hotwords)
    found = layout.lay_out(0, len(starts) - 1, limits.lines)
    return None if found is None else tuple(starts[piece] for piece in found[1])


def _is_one_line(tokens: Sequence[Token], limits: SegmentLimits) -> bool:
    measured, text = strict_columns if limits.strict else columns, text_of(tokens)
    return measured(text) - (len(text) - len(text.lstrip())) <= limits.columns


def _pauses(tokens: Sequence[Token], limits: SegmentLimits) -> list[float]:
    """Return the silence before each token, in units of `limits.pause`."""
    return [0.0, *(max(0.0, after.start - before.until) / limits.pause for before, after in pairwise(tokens))]


def _stretch(tokens: Sequence[Token], pauses: Sequence[float], limits: SegmentLimits, hotwords: _ByLength) -> _Stretch:
    """Divide `tokens` into pieces that stay whole, and prepare their layout."""
    measured = strict_columns if limits.strict else columns
    ends = [0, *accumulate(measured(token.text) for token in tokens)]
    begins = [end + len(token.text) - len(token.text.lstrip()) for end, token in zip(ends, tokens, strict=False)]
    breaks = [*_breaks(tokens, pauses, hotwords, strict=limits.strict), 0.0]
    whole = [0, *(at for at in range(1, len(tokens)) if not limits.strict or breaks[at] < UNPARTED / 2), len(tokens)]
    starts: list[int] = []
    for first, end in pairwise(whole):
        seconds = tokens[end - 1].end - tokens[first].start
        fits = ends[end] - begins[first] <= limits.columns and seconds <= limits.seconds
        starts += [first] if fits else range(first, end)
    layout = CueLayout(
        [begins[at] for at in starts],
        [ends[at] for at in [*starts, len(tokens)]],
        [breaks[at] for at in starts],
        limits.columns,
    )
    starts.append(len(tokens))
    return _Stretch(starts, [breaks[at] for at in starts], layout)


def _breaks(
    tokens: Sequence[Token], pauses: Sequence[float], hotwords: _ByLength, *, strict: bool = False
) -> Iterator[float]:
    """Yield the cost of beginning a line with each token; `pauses` before them are in units of `limits.pause`.

    `strict` makes it prohibitive to split a word, a hotword, or a number with its unit.
    """
    text = text_of(tokens)
    words = {len(text), *(start for start, _ in cut(text))}
    numbers = list(_numbers(text, words))
    kept = _inside(match.span() for match in _KATAKANA.finditer(text))
    one = _inside([*(quantities(text, numbers) if strict else numbers), *_found(text.lower(), hotwords)])
    spelled = _SPELLED_STRICTLY if strict else _SPELLED
    within, before_unit = (UNPARTED, UNPARTED) if strict else (6.0, 2.0)
    counts = {end for _, end in numbers if is_measured(text[end : end + 4]) or text.startswith(_CLOCK, end)}
    at = 0
    before = Token("", 0.0, 0.0, 0.0)
    for token, pause in zip(tokens, pauses, strict=True):
        left, right = before.text, token.text
        begin = at + len(right) - len(right.lstrip())
        whole = begin in words and begin not in one and not spelled.search(left[-1:] + right[:1])
        clings = begin + 1 in words and _CLINGING.match(text, begin)
        leads = (at - 1 in words and _LEADING.search(left)) or _LEADING_ENGLISH.search(left)
        yield (
            1.0
            - (3.0 if pause >= 1 else pause)
            - 0.8 * ends_with(before, CLAUSE_END)
            + within * (not whole)
            + UNPARTED * (begin in kept or is_joined(left, right) or (strict and _opens(left)))
            + before_unit * bool(begin in counts or (left[-1:].isdigit() and _HAN.match(right)))  # 三十五 台, 35 台
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


def _opens(text: str) -> bool:
    return bool(text) and unicodedata.category(text[-1]) in _OPENING
