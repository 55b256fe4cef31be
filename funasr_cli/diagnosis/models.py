"""The model that a run would take, and the others in the store. Sizes only: hashing is `funasr-cli models verify`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from funasr_cli.diagnosis.check import Check, Verdict
from funasr_cli.errors import ModelError
from funasr_cli.files import megabytes, shown
from funasr_cli.models.catalogue import CATALOGUE, CatalogueEntry
from funasr_cli.models.embedded import is_installed
from funasr_cli.models.layouts import layout_of
from funasr_cli.models.record import RECORD, read_record
from funasr_cli.models.store import default_model, folder_of, is_present, store_dir


def model_checks(chosen: Path | None = None) -> list[Check]:
    """Which model is the default and why; then that one, and all that are in the store.

    Where one is `chosen`, a folder, no other is needed.
    """
    if chosen is not None:
        present = [entry for entry in CATALOGUE.values() if is_present(entry)]
        named = Check(
            "chosen", f"{layout_of(chosen).family} in {shown(chosen)}", option=f"--model {quote(str(chosen))}"
        )
        return [named, *(_model(entry, needed=False) for entry in present)]
    default, why = default_model()
    there = [entry for entry in CATALOGUE.values() if entry.name == default or is_present(entry)]
    return [Check("default", f"{default}: {why}"), *(_model(entry, needed=entry.name == default) for entry in there)]


def compiled_folders() -> list[Path]:
    """Folders in the store that hold OMs."""
    return sorted({om.parent for om in store_dir().glob("*/*.om")})


def _model(entry: CatalogueEntry, *, needed: bool) -> Check:
    if not is_present(entry):
        if is_installed(entry):
            return Check(entry.name, "in its packages; the first run joins it into the store")
        text = f"not on this machine; without network, bring it with funasr-cli models import {entry.name}.tar"
        return Check(entry.name, text, "problem", entry.install)
    folder = folder_of(entry)
    fault = _fault(entry)
    if fault is None:
        return Check(entry.name, f"{megabytes(entry.size)} in {shown(folder)}, sizes as recorded")
    verdict: Verdict = "problem" if needed else "warning"
    return Check(entry.name, fault, verdict, f"funasr-cli models verify {entry.name}")  # which tells how to mend it


def _fault(entry: CatalogueEntry) -> str | None:
    """Why a run would refuse the model in the store, as far as it shows without hashing; `None` where nothing does."""
    folder = folder_of(entry)
    try:
        record = read_record(folder, entry)
        sizes = {path.name: path.stat().st_size for path in folder.iterdir() if not path.name.startswith(".")}
    except ModelError as error:
        return str(error)
    except OSError as error:
        return f"{shown(folder)} cannot be read: {error.strerror}"
    sizes.pop(RECORD, None)
    for file in record.files:
        if file.name not in sizes:
            return f"{file.name} is missing in {shown(folder)}"
        if sizes.pop(file.name) != file.size:
            return f"{file.name} in {shown(folder)} is not {file.size:,} bytes long"
    return f"{shown(min(sizes))} in {shown(folder)} is no file of the model" if sizes else None
