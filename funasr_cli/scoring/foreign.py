"""Detect texts of other tools in plain text files, whose ids and times would count as words."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"\d+(\.\d+)?")
_CHANNEL = re.compile(r"[A-Za-z]|\d{1,2}")
_TRN = re.compile(r"(?:.*\s)?\(([A-Za-z0-9][\w.:-]*)\)")
_ID = re.compile(r"(?=.*\d)(?=.*[A-Za-z_-])(?!\d{4}-\d{1,2}-\d{1,2}\b)[A-Za-z0-9][\w./-]{2,}", re.ASCII)
"""An utterance id: it has a digit and another character, and is not a date."""

_SPLIT = "Write each utterance to a separate file named after its id, both for references and for transcripts."
_AWK = """awk '{f = $1 ".txt"; $1 = ""; print > f}' FILE"""


class ForeignTextError(ValueError):
    """A text in the format of another tool; the second argument is a hint."""


def check(lines: Sequence[str]) -> None:
    """Raise `ForeignTextError` if all lines, none of them blank, are in the format of Kaldi, trn, stm or ctm."""
    said = [line for line in lines if not line.startswith(";;")]  # without the comments of stm and ctm
    fields = [line.split() for line in said]
    if not said:
        return
    if all(_is_stm(row) for row in fields):
        hint = "Keep only the text, or convert to tsv: start, end and text, separated by tabs."
        raise ForeignTextError("is stm: each text follows recording, channel, speaker, start and end", hint)
    if all(_is_ctm(row) for row in fields):
        hint = 'Convert it to JSON, {"words": [{"text", "start"}]}, or keep only the words: awk \'{print $5}\' FILE'
        raise ForeignTextError("is ctm: each word follows recording, channel, start and duration", hint)
    if len(said) > 1 and _differ([_TRN.fullmatch(line.strip()) for line in said]):
        raise ForeignTextError("is trn: each utterance ends with its id in brackets", _SPLIT)
    if len(said) > 1 and all(len(row) > 1 for row in fields) and _differ([_ID.fullmatch(row[0]) for row in fields]):
        raise ForeignTextError("is a Kaldi text file: each utterance begins with its id", f"{_SPLIT} {_AWK}")


def _differ(matches: Sequence[re.Match[str] | None]) -> bool:
    """Whether all lines match, with a different id each."""
    found = {match[match.lastindex or 0] for match in matches if match}
    return len(found) == len(matches) and all(_ID.fullmatch(text) for text in found)


def _is_stm(row: Sequence[str]) -> bool:
    return (
        len(row) >= 6 and bool(_CHANNEL.fullmatch(row[1])) and _are_numbers(row[3:5]) and float(row[3]) < float(row[4])
    )


def _is_ctm(row: Sequence[str]) -> bool:
    return 5 <= len(row) <= 8 and bool(_CHANNEL.fullmatch(row[1])) and _are_numbers(row[2:4]) and "." in row[2] + row[3]


def _are_numbers(texts: Sequence[str]) -> bool:
    return all(map(_NUMBER.fullmatch, texts))
