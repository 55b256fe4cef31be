"""Replace text in a stretch of tokens and keep its times.

Correction, numbers and script all change text that already has times. They describe changes by character positions in
the plain concatenation of the tokens; only this module knows how a change reaches the tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import HAN, is_han

UNIT = re.compile(rf"\s*(?:[{HAN}]|[^\s{HAN}]+)")
"""A token of new text: a Chinese character, or a word with its space."""

OPENING = " \"'“‘¿([{「『《（"
"""Characters that belong to the word after them."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Replace the characters from `start` to before `end` by `text`; neither may be empty."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Char:
    """A character of a token, with its share of the token's time."""

    start: float
    end: float
    token: Token


def rewrite(tokens: Iterable[Token], changes: Sequence[Rewrite]) -> list[Token]:
    """Return `tokens` with `changes`, which are in order, within the text, and do not overlap.

    If Chinese characters replace the same number of others, each takes the time of the one it replaces. Otherwise new
    tokens replace those that a change touches: together they keep the outer times, share the time in between by number
    of characters, and have the mean confidence of the old ones. Unchanged text of a touched token remains.
    """
    rewritten: list[Token] = []
    group: list[Token] = []  # tokens that are connected by changes
    begin = end = done = 0  # the characters of the group; the number of changes before it
    for token in tokens:
        group.append(token)
        end += len(token.text)
        upto = done
        while upto < len(changes) and changes[upto].start < end:
            upto += 1
        if upto > done and changes[upto - 1].end > end:
            continue
        inside = [replace(change, start=change.start - begin, end=change.end - begin) for change in changes[done:upto]]
        rewritten += _rewrite_group(group, inside)
        group, begin, done = [], end, upto
    if group or done < len(changes):
        raise ValueError(f"a change reaches beyond the {end} characters of the text")
    return rewritten


def differences(before: str, after: str) -> list[Rewrite]:
    """Return the changes from `before` to `after`: single characters if the lengths are equal, otherwise the whole."""
    if len(before) != len(after):
        return [Rewrite(0, len(before), after)]
    return [Rewrite(at, at + 1, new) for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]


def text_of(tokens: Iterable[Token]) -> str:
    """Return the text whose characters a `Rewrite` counts."""
    return "".join(token.text for token in tokens)


def _rewrite_group(tokens: Sequence[Token], changes: Sequence[Rewrite]) -> Iterable[Token]:
    if not changes:
        return tokens
    if all(is_han(change.text) and len(change.text) == change.end - change.start for change in changes):
        return _in_place(tokens, changes)
    return _anew(tokens, changes)


def _in_place(tokens: Sequence[Token], changes: Sequence[Rewrite]) -> Iterator[Token]:
    chars = [char for token in tokens for char in token.text]
    for change in changes:
        chars[change.start : change.end] = change.text
    begin = 0
    for token in tokens:
        yield replace(token, text="".join(chars[begin : begin + len(token.text)]))
        begin += len(token.text)


def _anew(tokens: Sequence[Token], changes: Sequence[Rewrite]) -> list[Token]:
    chars = [char for token in tokens for char in _characters(token)]
    made: list[Token] = []
    lead = ""  # text that belongs to the next token
    for start, end, units in _stretches(tokens, changes):
        text = "".join(units)
        if any(char.isalnum() for char in text):
            made += _timed([lead + units[0], *units[1:]], chars[start:end])
            lead = ""
        elif made:
            closing = text.rstrip(OPENING)
            made[-1] = replace(made[-1], text=made[-1].text + closing)
            lead += text[len(closing) :]
        else:
            lead += text
    if made:
        made[-1] = replace(made[-1], text=made[-1].text + lead)
    return made


def _stretches(tokens: Sequence[Token], changes: Sequence[Rewrite]) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the text in order: start and end in the old text, and the units of the new text."""
    text = text_of(tokens)
    borders = {0, *accumulate(len(token.text) for token in tokens)}
    at = 0
    for change in [*changes, Rewrite(len(text), len(text), "")]:
        kept = sorted({at, change.start} | {border for border in borders if at < border < change.start})
        yield from ((start, end, [text[start:end]]) for start, end in pairwise(kept))
        if change.text:
            yield change.start, change.end, UNIT.findall(change.text)
        at = change.end


def _characters(token: Token) -> Iterator[_Char]:
    """Yield the characters with their times: letters and digits share the token's time, others have none."""
    spoken = sum(map(str.isalnum, token.text))
    share = (token.end - token.start) / spoken if spoken else 0.0
    at = 0
    for char in token.text:
        start = token.start + at * share
        at += char.isalnum()
        yield _Char(start, token.start + at * share, token)


def _timed(units: Sequence[str], chars: Sequence[_Char]) -> Iterator[Token]:
    """Yield `units` as tokens, with the time and the mean confidence of `chars`."""
    start, end, tail, language = chars[0].start, chars[-1].end, chars[-1].token.tail, chars[0].token.language
    confidence = sum(char.token.confidence for char in chars) / len(chars)
    ends = list(accumulate(len(unit.strip()) for unit in units))
    times = [start, *(start + (end - start) * sofar / ends[-1] for sofar in ends[:-1]), end]
    for unit, (since, until) in zip(units, pairwise(times), strict=True):
        yield Token(unit, since, until, confidence, tail if until == end else 0.0, language)
