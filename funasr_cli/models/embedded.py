"""Models that come as packages of the package index: assembled in the model store on first use.

The packages are third-party: only files whose sha256 is in the catalogue are accepted, and none of their code is run.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import CHUNK_BYTES
from funasr_cli.models.atomic_folder import ANOTHER_STORE, atomic_folder
from funasr_cli.models.catalogue import CatalogueEntry
from funasr_cli.models.origin import verify_file

logger = logging.getLogger(__name__)

PIECE = re.compile(r"(?P<file>.+)\.part\d+")


def is_installed(entry: CatalogueEntry) -> bool:
    """Whether the model comes as packages and all of them are installed."""
    return bool(entry.parts) and all(find_spec(part.module) is not None for part in entry.parts)


def assemble(entry: CatalogueEntry, target: Path) -> None:
    """Assemble and verify the model's files in the folder `target`, which appears complete or not at all.

    Raises `ModelError` if a file does not match the catalogue or `target` cannot be written.
    """
    logger.debug("assembling %s from its packages in %s", entry.name, target)
    with atomic_folder(target, ANOTHER_STORE) as work:
        for source, name in _sources(entry):
            with source.open("rb") as piece, (work / name).open("ab") as whole:
                shutil.copyfileobj(piece, whole, CHUNK_BYTES)
        hint = f"The installed packages are damaged or the wrong ones. Reinstall them: {entry.install}"
        for file in entry.files:
            verify_file(work / file.name, file, hint=hint)


def _sources(entry: CatalogueEntry) -> Iterator[tuple[Path, str]]:
    """The files in the packages, pieces in order, each with the name of the file that it is or is a piece of."""
    for part in entry.parts:
        spec = find_spec(part.module)
        if spec is None or not spec.submodule_search_locations:
            package = part.module.replace("_", "-")
            raise ModelError(f"model {entry.name}: the package {package} is not installed", hint=entry.install)
        folder = Path(spec.submodule_search_locations[0]) / "data"
        for name in part.files:
            piece = PIECE.fullmatch(name)
            yield folder / name, piece["file"] if piece else name
