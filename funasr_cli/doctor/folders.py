"""Folders that a run writes into: whether it may, and how much room there is."""

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
"""Bytes: the size of the largest model that is a default."""


def folder_checks(*, chosen: bool = False) -> list[Check]:
    """The model store, the folder for transcripts and the one for temporary files.

    A model that is `chosen` in another folder needs no store.
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
        return Check("transcripts", f"{fault}: no relative path leads anywhere", "warning", instead, option)
    return _folder("transcripts", Path(OUTPUT_FOLDER).absolute(), instead, option=option)


def _folder(name: str, path: Path, otherwise: str, unwritable: Verdict = "warning", option: str = "") -> Check:
    """`otherwise` says how to take another folder."""
    obstacle = _obstacle(path)
    if obstacle is not None:
        return Check(name, f"{printable(path)}: {obstacle}", unwritable, otherwise, option, path)
    there = _existing(path)
    free = shutil.disk_usage(there).free
    text = f"{printable(path)}, {'writable' if there == path else 'can be made'}, {megabytes(free)} free"
    if free < LOW_SPACE_BYTES:
        return Check(name, text, "warning", otherwise, path=path)
    return Check(name, text, path=path)


def _obstacle(path: Path) -> str | None:
    """Why nothing can be written into the folder; `None` where it is there or can be made, and can be written."""
    there = _existing(path)
    if not there.is_dir():
        return f"{printable(there)} is no folder"
    return None if os.access(there, os.W_OK | os.X_OK) else f"{printable(there)} cannot be written"


def _existing(path: Path) -> Path:
    """The path, or the nearest above it that exists. (`Path.exists` would raise where looking is forbidden.)"""
    return next(
        (
            each
            for each in (path, *(path if path.is_absolute() else path.absolute()).parents)
            if os.access(each, os.F_OK)
        ),
        Path("/"),
    )


def _temporary_folder() -> Path:
    """Where Python's tempfile would write, which finds out by writing: the first that can be written, in its order."""
    named = [Path(value) for variable in ("TMPDIR", "TEMP", "TMP") if (value := os.environ.get(variable))]
    places = [*named, Path("/tmp"), Path("/var/tmp"), Path("/usr/tmp")]
    if current_folder_fault() is None:
        places.append(Path.cwd())
    return next((path for path in places if _existing(path) == path and _obstacle(path) is None), places[0])
