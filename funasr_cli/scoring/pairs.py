"""Match hypotheses with references."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import InputError, UsageError
from funasr_cli.files import printable
from funasr_cli.scoring.read import FORMATS
from funasr_cli.walk import walk


@dataclass(frozen=True, slots=True)
class Pair:
    """A reference and its hypothesis, None if there is none. `name` has no extension."""

    name: str
    reference: Path
    hypothesis: Path | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """A pair for each reference, sorted by name, and the hypotheses without a reference."""

    pairs: tuple[Pair, ...]
    without_reference: tuple[Path, ...]


def pair(hypothesis: Path, reference: Path) -> Pairing:
    """Pair two files, whatever their names, or the files of two folders by relative path without extension.

    Of several formats with one name the most detailed is taken, see `FORMATS`. Raises `UsageError` if there is nothing
    to compare, `InputError` if a folder cannot be listed.
    """
    if hypothesis.is_dir() != reference.is_dir():
        raise UsageError("cannot compare a file with a folder", hint="Name two files or two folders.")
    if not reference.is_dir():
        for path in (hypothesis, reference):
            if path.suffix.lower() not in FORMATS:
                raise UsageError("not the extension of a transcript", where=path, hint=f"Known: {', '.join(FORMATS)}.")
        return Pairing((Pair(reference.stem, reference, hypothesis),), ())
    hypotheses, references = _transcripts(hypothesis), _transcripts(reference)
    if not hypotheses.keys() & references.keys():
        raise UsageError(
            f"nothing to compare: {len(hypotheses)} transcripts in {printable(hypothesis)}, {len(references)} in "
            f"{printable(reference)}, no name in common",
            hint=f"Files are paired by relative path without extension ({', '.join(FORMATS)}).",
        )
    return Pairing(
        tuple(Pair(name, path, hypotheses.get(name)) for name, path in sorted(references.items())),
        tuple(path for name, path in sorted(hypotheses.items()) if name not in references),
    )


def _transcripts(root: Path) -> dict[str, Path]:
    """Map names to files. Hidden files are skipped; links are followed, but no folder is entered twice."""
    found: dict[str, Path] = {}
    for place, files in walk(root, on_error=_refuse):
        for path in (root / place / file.name for file in files):
            if path.suffix.lower() in FORMATS:
                name = str(path.relative_to(root).with_suffix(""))
                found[name] = min(path, found.get(name, path), key=_rank)
    return found


def _rank(path: Path) -> tuple[int, str]:
    return FORMATS.index(path.suffix.lower()), path.name


def _refuse(folder: Path, error: OSError) -> None:
    raise InputError(f"cannot be listed: {error.strerror}", where=folder) from error
