"""The model that a run would take, and the others in the store. Sizes only: hashing is `funasr-cli models verify`."""

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
    """Which model a run would take and why; then the others that are in the store, of which none is needed.

    That is the one in the folder that was `named`, else in the one that was `found` to run on an NPU, else the default.
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
    return [Check("default", f"{default} has nothing that runs on an NPU; this one has", "warning"), chosen, *checks]


def compiled_folders() -> list[Path]:
    """Folders in the store that hold a model with OMs. None of the catalogue's, which have to stay as they came."""
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
            return Check(entry.name, "in its packages; the first run joins it into the store")
        text = f"not on this machine; without network, bring it with funasr-cli models import {entry.name}.tar"
        return Check(entry.name, text, "problem", entry.install)
    folder = folder_of(entry)
    wrong = fault(entry)
    if wrong is None:
        return Check(entry.name, f"{megabytes(entry.size)} in {printable(folder)}, sizes as recorded", path=folder)
    verdict: Verdict = "problem" if needed else "warning"
    return Check(entry.name, wrong, verdict, f"funasr-cli models verify {entry.name}")  # which tells how to mend it
