"""Hotword files: names and terms of the user's field, one a line, in FunASR's form `word [weight]` and others'."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from funasr_cli.errors import UsageError, reading
from funasr_cli.files import printable
from funasr_cli.hotword_lines import DEFAULT_WEIGHT, parse, series
from funasr_cli.package_data import hotword_lists
from funasr_cli.text_encoding import ambiguity, decoded

FAINT_WEIGHT = 10.0
"""If a file has no weight above this after its colons, half the usual one, they are probably of another scale."""


@dataclass(frozen=True, slots=True)
class Hotword:
    """A word to listen for. `weight` is between 1 and 100, 20 by default; `where` is its file and line."""

    text: str
    weight: float = DEFAULT_WEIGHT
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HotwordList:
    """Different words in the order of their files, and what a person should know of these, with file and line."""

    words: tuple[Hotword, ...] = ()
    warnings: tuple[str, ...] = ()


def read_hotwords(paths: Iterable[Path]) -> HotwordList:
    """The words of all files together. Raises `UsageError` where one cannot be read as text."""
    words: dict[str, Hotword] = {}
    warnings: list[str] = []
    for path in paths:
        before = len(words)
        _read(path, words, warnings)
        if len(words) == before:
            warnings.append(f"{printable(path)}: adds no hotword")
    return HotwordList(tuple(words.values()), tuple(warnings))


def _read(path: Path, words: dict[str, Hotword], warnings: list[str]) -> None:
    """Add the words of a file, unless they are there already, and the warnings."""
    text, doubt = _text(path)
    lines, name = text.split("\n"), printable(path)
    if doubt:
        warnings.append(f"{name}: {doubt}")
    numbered = series(lines)
    of_others: list[float] = []
    for number, line in enumerate(lines, start=1):
        found = parse(line, numbered)
        warnings += [f"{name}:{number}: {warning}" for warning in found.warnings]
        if found.text is None:
            continue
        if found.marked:
            of_others.append(found.weight)
        word = Hotword(found.text, found.weight, f"{name}:{number}")
        first = words.setdefault(word.text, word)
        if first is not word:
            warnings.append(f"{word.where}: {word.text} is in {first.where} already; that line counts")
    if of_others and max(of_others) <= FAINT_WEIGHT:
        usual = f"here {DEFAULT_WEIGHT:g} is usual, and 100 the most"
        warnings.append(f"{name}: the weights are {max(of_others):g} at most; {usual}")


def _text(path: Path) -> tuple[str, str | None]:
    """The text of a file in UTF-8 or GB18030, LF between its lines; and what is to be said if it could be either."""
    with reading(path, UsageError, hint=None if path.exists() else _lists_like(path)):
        data = path.read_bytes()
    try:
        return decoded(data), ambiguity(data)
    except ValueError as error:
        what, hint = error.args
        raise UsageError(what, where=path, hint=hint) from error


def _lists_like(path: Path) -> str:
    """A hint at the lists that ship, and at the one that was probably meant by the name of a missing file."""
    lists = hotword_lists()
    close = get_close_matches(path.stem.lower(), lists, n=1)
    return f"Lists that ship with funasr-cli: {', '.join(lists)}." + (f" Did you mean {close[0]}?" if close else "")
