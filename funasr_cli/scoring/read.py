"""Read transcripts, funasr-cli's and those of other tools, as text with the known times."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from funasr_cli.callbacks import Tell
from funasr_cli.errors import InputError, reading
from funasr_cli.files import printable
from funasr_cli.scoring.cues import Cue, read_srt, read_vtt
from funasr_cli.scoring.foreign import ForeignTextError, check
from funasr_cli.text_encoding import ambiguity, encoding_of

TSV_HEADER = ("start", "end", "text")
TSV_HEADER_OF_CHANNELS = ("start", "end", "text\tchannel")
NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]+)?")
TXT_LABELS = re.compile(r"^(?:\[[0-9]{2,}:[0-9]{2}:[0-9]{2}\] (?:\[[1-8]\] )?|\[[1-8]\] )")
"""The time at which a paragraph begins, the channel in which it was said, or both."""

TAGS = re.compile(r"<\|[^|]*\|>")
"""Tags that SenseVoice writes before a text: its language, emotion and events."""

TXT_CHANNEL = re.compile(r" \[[1-8]\] ")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and its start in seconds, None if unknown.

    A piece includes the space before a word, so a text is the plain concatenation of its pieces.
    """

    text: str
    start: float | None


def read(path: Path, warn: Tell = lambda _: None) -> list[Piece]:
    """Read the text of a file in UTF-8 in a known format (by extension, see `FORMATS`). Raises `InputError`.

    `warn` is called if the text could also be GB18030.
    """
    kind = path.suffix.lower()
    with reading(path, InputError):
        data = path.read_bytes()
    doubt = None if kind == ".json" else ambiguity(data)  # JSON is UTF-8
    if doubt and encoding_of(data) == "gb18030":
        raise InputError(doubt, where=path, hint="Convert it, e.g. with `iconv -f GB18030 -t UTF-8`.")
    if doubt:
        warn(f"{printable(path)}: {doubt}")
    try:
        return list(_PARSERS[kind](data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")))
    except UnicodeDecodeError as error:
        encoding = (encoding_of(data) or "ENCODING").upper()
        what = "is UTF-16" if encoding.startswith("UTF-16") else f"is not UTF-8: {error.reason} at byte {error.start}"
        raise InputError(what, where=path, hint=f"Convert it, e.g. with `iconv -f {encoding} -t UTF-8`.") from error
    except ForeignTextError as error:
        raise InputError(error.args[0], where=path, hint=error.args[1]) from error
    except (ValueError, OverflowError, RecursionError) as error:
        hint = "Correct or remove the file."
        raise InputError(f"not a valid {kind} transcript: {error}", where=path, hint=hint) from error


def _txt(text: str) -> Iterator[Piece]:
    """Read plain text, without funasr-cli's labels of paragraphs if every line has one."""
    lines = [line for line in text.split("\n") if line.strip()]
    check(lines)
    if lines and all(TXT_LABELS.match(line) for line in lines):
        lines = [TXT_LABELS.sub("", line) for line in lines]
        if len(lines) == 1:  # the plain layout has all paragraphs on one line
            lines = TXT_CHANNEL.split(lines[0])
    yield Piece("\n".join(lines), None)


def _cues(parse: Callable[[str], Iterator[Cue]], text: str) -> Iterator[Piece]:
    return (Piece(f" {line}", start) for start, line in parse(text))


def _tsv(text: str) -> Iterator[Piece]:
    """Read rows of start, end and text, with or without a header; whole numbers are milliseconds, as in our files.

    If any time has a decimal point, all are seconds. A header may name a last column, `channel`.
    """
    rows = [(number, line.split("\t", 2)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    header = tuple(cell.strip().lower() for cell in rows[0][1]) if rows else ()
    if header in (TSV_HEADER, TSV_HEADER_OF_CHANNELS):
        del rows[0]
    for number, cells in rows:
        if len(cells) < len(TSV_HEADER) or not all(NUMBER.fullmatch(cell.strip()) for cell in cells[:2]):
            raise ValueError(f"line {number}: expected start, end and text, separated by tabs")
    in_seconds = any("." in cell for _, cells in rows for cell in cells[:2])
    for _, (start, _, line) in rows:
        if header == TSV_HEADER_OF_CHANNELS:
            line = line.rpartition("\t")[0]
        yield Piece(f" {line}", float(start) if in_seconds else float(start) / 1000)


def _json(text: str) -> Iterator[Piece]:
    """Read funasr-cli's layout, `segments` with `tokens`; or segments without tokens; a list `words`; or only `text`.

    FunASR's own layout is a list with one such object per recording, times in milliseconds.
    """
    document = json.loads(text)
    if isinstance(document, list):
        yield from _funasr(document)
        return
    if not isinstance(document, dict):
        raise ValueError("expected an object")
    if segments := document.get("segments"):
        for place, segment in _items("segments", segments):
            yield from _segment(place, segment)
    elif words := document.get("words"):
        for place, word in _items("words", words):
            yield _apart(_piece(place, word))
    elif isinstance(document.get("text"), str):
        yield Piece(document["text"], None)
    elif not document.keys() & {"segments", "words"}:
        raise ValueError("expected `segments`, `words` or `text`")


def _funasr(results: list[Any]) -> Iterator[Piece]:
    """Read what `AutoModel.generate` returns: sentences with their times if present, otherwise a text."""
    items = [item for _, item in _items("results", results)]
    if len(items) > 1:
        raise ValueError(f"a list of {len(items)} results; write each to a separate file")
    for item in items:
        sentences = item.get("sentence_info") or [item]
        for place, sentence in _items("sentence_info", sentences):
            times = sentence.get("timestamp")
            first = times[0] if isinstance(times, list) and times else None
            start = first[0] if isinstance(first, list) and first else sentence.get("start")
            piece = _piece(place, {"text": sentence.get("text"), "start": start})
            yield Piece(f" {TAGS.sub('', piece.text)}", None if piece.start is None else piece.start / 1000)


def _segment(place: str, segment: dict[str, Any]) -> Iterator[Piece]:
    tokens = segment.get("tokens")
    if not tokens or (isinstance(tokens, list) and isinstance(tokens[0], int)):  # integers are token ids of Whisper
        yield _apart(_piece(place, segment))
    else:
        yield Piece(" ", None)
        for inner, token in _items(f"{place}.tokens", tokens):
            yield _piece(inner, token)


def _apart(piece: Piece) -> Piece:
    """Return the piece with a space before it, to begin a word."""
    return Piece(f" {piece.text}", piece.start)


def _items(place: str, values: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(values, list):
        raise ValueError(f"{place}: expected a list")
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise ValueError(f"{place}[{index}]: expected an object")
        yield f"{place}[{index}]", value


def _piece(place: str, item: dict[str, Any]) -> Piece:
    text, start = item.get("text"), item.get("start")
    if not isinstance(text, str):
        raise ValueError(f"{place}.text: expected a string")
    if start is None:
        return Piece(text, None)
    if isinstance(start, bool) or not isinstance(start, (int, float)) or not math.isfinite(start):
        raise ValueError(f"{place}.start: expected seconds")
    return Piece(text, float(start))


_PARSERS: Mapping[str, Callable[[str], Iterator[Piece]]] = {
    ".json": _json,
    ".tsv": _tsv,
    ".srt": partial(_cues, read_srt),
    ".vtt": partial(_cues, read_vtt),
    ".txt": _txt,
}

FORMATS = tuple(_PARSERS)
"""The extensions of known formats, most detailed first."""
