"""Models that come through the package index: joined from their packages into the model store on first use.

The packages are somebody else's, so nothing in them is believed but a file whose sha256 is the catalogue's; none of
their code is run.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import CHUNK, is_temporary, sha256_of, temporary_beside
from funasr_cli.models.catalogue import CatalogueEntry

PIECE = re.compile(r"(?P<file>.+)\.part\d+")
ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished folder belongs to a process that was killed; joining takes a few."""


def is_installed(entry: CatalogueEntry) -> bool:
    """Whether all packages that carry the model are installed."""
    return all(find_spec(part.module) is not None for part in entry.parts)


def assemble(entry: CatalogueEntry, target: Path) -> None:
    """Join and verify the model's files into the folder `target`, which appears whole or not at all.

    Any number of processes may do this at once: each works in a folder of its own, and the first to finish wins.
    Raises `ModelError` where a file is not what the catalogue says, or `target` cannot be written.
    """
    work = temporary_beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        work.mkdir()
        for source, name in _sources(entry):
            with source.open("rb") as piece, (work / name).open("ab") as whole:
                shutil.copyfileobj(piece, whole, CHUNK)
        for name, expected in entry.sha256.items():
            verify(
                work / name, expected, hint=f"The installed packages are damaged or not the right ones. {entry.install}"
            )
        _move_into_place(work, target)
    except OSError as error:
        raise ModelError(f"the model cannot be put here: {error.strerror}", where=target) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def verify(path: Path, expected: str, *, hint: str) -> None:
    """Raise `ModelError` unless the file's sha256 is `expected`."""
    found = sha256_of(path)
    if found != expected:
        raise ModelError(f"has the sha256 {found}, expected {expected}", where=path, hint=hint)


def _sources(entry: CatalogueEntry) -> Iterator[tuple[Path, str]]:
    """Files in the packages, pieces in order, each with the name of the file that it is (a piece of)."""
    for part in entry.parts:
        spec = find_spec(part.module)
        if spec is None or not spec.submodule_search_locations:
            package = part.module.replace("_", "-")
            raise ModelError(f"model {entry.name}: the package {package} is not installed", hint=entry.install)
        folder = Path(spec.submodule_search_locations[0]) / "data"
        for name in part.files:
            piece = PIECE.fullmatch(name)
            yield folder / name, piece["file"] if piece else name


def _move_into_place(work: Path, target: Path) -> None:
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():  # otherwise another process was faster, with the same verified content
            raise


def _sweep(folder: Path) -> None:
    """Remove what killed processes left."""
    for path in folder.iterdir():
        if is_temporary(path) and path.stat().st_mtime < time.time() - ABANDONED_AFTER:
            shutil.rmtree(path, ignore_errors=True)
