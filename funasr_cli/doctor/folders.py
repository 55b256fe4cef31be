"""Checks of the folders that a run writes to: permissions and free space."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from funasr_cli.doctor.check import Check, Verdict
from funasr_cli.files import megabytes, printable
from funasr_cli.models.catalogue import CATALOGUE
from funasr_cli.models.store import default_model, is_present, store_dir
from funasr_cli.outputs.layout import OUTPUT_FOLDER
from funasr_cli.system.places import current_folder_fault

LOW_SPACE_BYTES = 1_000_000_000
"""Bytes: about the size of the largest default model."""


def folder_checks(*, chosen: bool = False) -> list[Check]:
    """Check the model store, the folder for transcripts and the folder for temporary files.

    A model that was `chosen` from another folder does not need the store.
    """
    has_model = chosen or is_present(CATALOGUE[default_model()[0]])
    return [
        _folder("models", store_dir(), "export FUNASR_CLI_MODELS=DIR", "warning" if has_model else "problem"),
        _transcripts(),
        _folder("temporary", _temporary_folder(), "export TMPDIR=DIR"),
    ]


def _transcripts() -> Check:
    instead, option = "funasr-cli transcribe FOLDER -o DIR", "-o DIR"
    if fault := current_folder_fault():
        return Check("transcripts", f"{fault}: relative paths do not work", "warning", instead, option)
    return _folder("transcripts", Path(OUTPUT_FOLDER).absolute(), instead, option=option)


def _folder(name: str, path: Path, otherwise: str, unwritable: Verdict = "warning", option: str = "") -> Check:
    """Check one folder; `otherwise` is the command that selects another."""
    obstacle = _obstacle(path)
    if obstacle is not None:
        return Check(name, f"{printable(path)}: {obstacle}", unwritable, otherwise, option, path)
    there = _existing(path)
    free = shutil.disk_usage(there).free
    text = f"{printable(path)}, {'writable' if there == path else 'can be created'}, {megabytes(free)} free"
    if free < LOW_SPACE_BYTES:
        return Check(name, text, "warning", otherwise, path=path)
    return Check(name, text, path=path)


def _obstacle(path: Path) -> str | None:
    """Why the folder cannot be written or created; None if it can."""
    there = _existing(path)
    if not there.is_dir():
        return f"{printable(there)} is not a folder"
    return None if os.access(there, os.W_OK | os.X_OK) else f"{printable(there)} cannot be written"


def _existing(path: Path) -> Path:
    """The path or its nearest existing parent. (`Path.exists` would raise without permission to look.)"""
    return next(
        (
            each
            for each in (path, *(path if path.is_absolute() else path.absolute()).parents)
            if os.access(each, os.F_OK)
        ),
        Path("/"),
    )


def _temporary_folder() -> Path:
    """The folder that Python's `tempfile` would use: the first writable one in its order, found without writing."""
    named = [Path(value) for variable in ("TMPDIR", "TEMP", "TMP") if (value := os.environ.get(variable))]
    places = [*named, Path("/tmp"), Path("/var/tmp"), Path("/usr/tmp")]
    if current_folder_fault() is None:
        places.append(Path.cwd())
    return next((path for path in places if _existing(path) == path and _obstacle(path) is None), places[0])
