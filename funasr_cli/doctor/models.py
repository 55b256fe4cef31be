"""Checks of models: the one that a run would use, and the others in the store. By size only, without hashing."""

from __future__ import annotations

from pathlib import Path

from funasr_cli.doctor.check import Check, Verdict
from funasr_cli.errors import ModelError
from funasr_cli.files import megabytes, printable, shell_quoted
from funasr_cli.models.catalogue import CATALOGUE, CatalogueEntry
from funasr_cli.models.embedded import is_installed
from funasr_cli.models.layouts import layout_of
from funasr_cli.models.store import default_model, fault, folder_of, is_present, store_dir


def model_checks(named: Path | None, found: Path | None) -> list[Check]:
    """Check the model that a run would use, and the other models in the store, which are optional.

    A run uses the model in the folder that was `named`, else the one `found` to run on an NPU, else the default.
    """
    default, why = default_model()
    folder = named or found
    needed = None if folder else default
    there = [entry for entry in CATALOGUE.values() if entry.name == needed or is_present(entry)]
    checks = [_model(entry, needed=entry.name == needed) for entry in there]
    if not folder:
        return [Check("default", f"{default}: {why}"), *checks]
    text = f"{layout_of(folder).family} in {printable(folder)}"
    chosen = Check("chosen", text, option=f"--model {shell_quoted(folder)}", path=folder)
    if named:
        return [chosen, *checks]
    text = f"{default} is not compiled for an NPU; the chosen one is"
    return [Check("default", text, "warning"), chosen, *checks]


def compiled_folders() -> list[Path]:
    """Folders in the store with a model and its OMs, except those of the catalogue, which must not be changed."""
    folders = sorted({om.parent for om in store_dir().glob("*/*.om")})
    return [folder for folder in folders if folder.name not in CATALOGUE and _is_for_npus(folder)]


def _is_for_npus(folder: Path) -> bool:
    try:
        return bool(layout_of(folder).compiled)
    except ModelError:
        return False


def _model(entry: CatalogueEntry, *, needed: bool) -> Check:
    if not is_present(entry):
        if is_installed(entry):
            return Check(entry.name, "in installed packages; the first run puts it into the store")
        text = f"not on this machine; without network: funasr-cli models import {entry.name}.tar"
        return Check(entry.name, text, "problem", entry.install)
    folder = folder_of(entry)
    wrong = fault(entry)
    if wrong is None:
        return Check(entry.name, f"{megabytes(entry.size)} in {printable(folder)}, sizes as recorded", path=folder)
    verdict: Verdict = "problem" if needed else "warning"
    return Check(entry.name, wrong, verdict, f"funasr-cli models verify {entry.name}")  # explains how to repair it
