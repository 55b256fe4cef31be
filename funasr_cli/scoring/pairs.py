"""Which hypothesis belongs to which reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import InputError, UsageError
from funasr_cli.files import printable
from funasr_cli.scoring.read import FORMATS
from funasr_cli.walk import walk


@dataclass(frozen=True, slots=True)
class Pair:
    """A reference and the hypothesis to be compared with it, None where there is none. `name` has no extension."""

    name: str
    reference: Path
    hypothesis: Path | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """A pair for each reference, in order of names, and the hypotheses that have no reference."""

    pairs: tuple[Pair, ...]
    without_reference: tuple[Path, ...]


def pair(hypothesis: Path, reference: Path) -> Pairing:
    """Two files, whatever their names, or the files of two folders with all below, by relative path without extension.

    Of several formats of one name the one that tells most is taken, see `FORMATS`. Raises `UsageError` where there is
    nothing to compare, `InputError` where a folder cannot be listed.
    """
    if hypothesis.is_dir() != reference.is_dir():
        raise UsageError("cannot compare a file with a folder", hint="Name two files or two folders.")
    if not reference.is_dir():
        for path in (hypothesis, reference):
            if path.suffix.lower() not in FORMATS:
                raise UsageError("is no transcript by its extension", where=path, hint=f"Known: {', '.join(FORMATS)}.")
        return Pairing((Pair(reference.stem, reference, hypothesis),), ())
    hypotheses, references = _transcripts(hypothesis), _transcripts(reference)
    if not hypotheses.keys() & references.keys():
        raise UsageError(
            f"nothing to compare: of {len(hypotheses)} transcripts in {printable(hypothesis)} and {len(references)} in "
            f"{printable(reference)}, none has the name of another",
            hint=f"Files are paired by their path in the folder without {', '.join(FORMATS)}.",
        )
    return Pairing(
        tuple(Pair(name, path, hypotheses.get(name)) for name, path in sorted(references.items())),
        tuple(path for name, path in sorted(hypotheses.items()) if name not in references),
    )


def _transcripts(root: Path) -> dict[str, Path]:
    """Name → file. Hidden files are passed over; links are followed, but no folder is entered twice."""
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
