"""Hotword files: names and terms of the user's field, one per line, as `word [weight]` or similar."""

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
"""Half the default. If no weight after a colon in a file is larger, the weights probably use another scale."""


@dataclass(frozen=True, slots=True)
class Hotword:
    """A word to listen for. `weight` is from 1 to 100, 20 by default; `where` is its file and line."""

    text: str
    weight: float = DEFAULT_WEIGHT
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HotwordList:
    """Distinct words in the order of their files, and warnings about them with file and line."""

    words: tuple[Hotword, ...] = ()
    warnings: tuple[str, ...] = ()


def read_hotwords(paths: Iterable[Path]) -> HotwordList:
    """Read the words of all files. Raises `UsageError` if a file cannot be read as text."""
    words: dict[str, Hotword] = {}
    warnings: list[str] = []
    for path in paths:
        before = len(words)
        _read(path, words, warnings)
        if len(words) == before:
            warnings.append(f"{printable(path)}: adds no hotwords")
    return HotwordList(tuple(words.values()), tuple(warnings))


def _read(path: Path, words: dict[str, Hotword], warnings: list[str]) -> None:
    """Add the words of a file that `words` does not have yet, and the warnings."""
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
            warnings.append(f"{word.where}: {word.text} is already in {first.where}; that line counts")
    if of_others and max(of_others) <= FAINT_WEIGHT:
        usual = f"the default here is {DEFAULT_WEIGHT:g} and the maximum 100"
        warnings.append(f"{name}: no weight is above {max(of_others):g}; {usual}")


def _text(path: Path) -> tuple[str, str | None]:
    """Read a file in UTF-8 or GB18030, with LF line ends; also return a warning if it could be either encoding."""
    with reading(path, UsageError, hint=None if path.exists() else _lists_like(path)):
        data = path.read_bytes()
    try:
        return decoded(data), ambiguity(data)
    except ValueError as error:
        what, hint = error.args
        raise UsageError(what, where=path, hint=hint) from error


def _lists_like(path: Path) -> str:
    """Hint for a missing file: the built-in lists, and the one that was probably meant."""
    lists = hotword_lists()
    close = get_close_matches(path.stem.lower(), lists, n=1)
    return f"Built-in lists: {', '.join(lists)}." + (f" Did you mean {close[0]}?" if close else "")
