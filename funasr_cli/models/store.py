"""From what `--model` names, a catalogue entry or a folder, to a model on this machine that can be loaded."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

from funasr_cli.errors import MachineError, ModelError, reading
from funasr_cli.files import printable, sha256_of
from funasr_cli.models.atomic_folder import ANOTHER_STORE
from funasr_cli.models.catalogue import (
    CATALOGUE,
    DEFAULT_MODEL,
    SENSEVOICE_SMALL,
    SENSEVOICE_SMALL_INT8,
    CatalogueEntry,
    did_you_mean,
)
from funasr_cli.models.embedded import assemble, is_installed
from funasr_cli.models.layouts import AUTO, ModelLayout, choose_weights, content_of, hash_files, layout_of
from funasr_cli.models.model_yaml import verify_model_yaml
from funasr_cli.models.om_files import choose_om, source_of
from funasr_cli.models.origin import ORIGIN_FILE, OriginRecord, read_record, verify
from funasr_cli.models.search import check_files, find_folder
from funasr_cli.system.places import expand_home

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A model on this machine: `family` names its recogniser, `path` is its folder.

    `weights` is the file that is run, `precision` what it computes in (`float32`, `int8`, or `om` for one that is
    compiled with its own), `sha256` its hash; `content` is one hash of all files that make a difference to a text.
    """

    name: str
    family: str
    path: Path
    weights: Path
    precision: str
    sha256: str
    content: str

    def made_absolute(self) -> Model:
        """The same for a process that is in another folder."""
        return replace(self, path=self.path.absolute(), weights=self.weights.absolute())


COMPILED = "om"


def store_dir() -> Path:
    """Where models live: $FUNASR_CLI_MODELS, else funasr-cli/models in the user's cache folder."""
    named = os.environ.get("FUNASR_CLI_MODELS")
    if named:
        return expand_home(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "funasr-cli" / "models"
    except RuntimeError as error:  # a user without a home, as containers have them
        raise MachineError("there is no home folder for models", hint="export FUNASR_CLI_MODELS=DIR") from error


def folder_of(entry: CatalogueEntry) -> Path:
    """The model's folder in the store, whether it is there or not."""
    return store_dir() / entry.name


def is_present(entry: CatalogueEntry) -> bool:
    """Whether the model is in the store."""
    return os.path.isdir(folder_of(entry))  # False, and no error, for one that may not even be looked at


def fault(entry: CatalogueEntry) -> str | None:
    """Why a run would refuse the model in the store, as far as it shows without hashing; `None` where nothing does."""
    folder = folder_of(entry)
    try:
        record = read_record(folder, entry)
        sizes = {path.name: path.stat().st_size for path in folder.iterdir() if not path.name.startswith(".")}
    except ModelError as error:
        return str(error)
    except OSError as error:
        return f"{printable(folder)} cannot be read: {error.strerror}"
    sizes.pop(ORIGIN_FILE, None)
    for file in record.files:
        if file.name not in sizes:
            return f"{file.name} is missing in {printable(folder)}"
        if sizes.pop(file.name) != file.size:
            return f"{file.name} in {printable(folder)} is not {file.size:,} bytes long"
    return f"{printable(min(sizes))} in {printable(folder)} is no file of the model" if sizes else None


def default_model() -> tuple[str, str]:
    """The name of the model that is taken where none is named, and why, in words."""
    for entry in (SENSEVOICE_SMALL, SENSEVOICE_SMALL_INT8):
        if is_present(entry):
            return entry.name, f"{entry.name} is in the model store"
    better = SENSEVOICE_SMALL
    return DEFAULT_MODEL, f"the embedded model; for Chinese, {better.name} is better: {better.install}"


def find_model(name: str, precision: str = AUTO, soc: str = "") -> Model:
    """The model called `name` in the catalogue, or in what `name` is the path of, verified as far as it is known.

    For an NPU, `soc` is what it has to be compiled for. Raises `ModelError` where there is none, or it is incomplete or
    changed, or not there in this `precision` or for this `soc`.
    """
    entry = CATALOGUE.get(name)
    if entry is not None:
        path, record = verified(entry)
        layout = layout_of(path)
        weights, precision = _weights(layout, path, precision, soc)
        sha256 = record.sha256
        return Model(entry.name, layout.family, path, weights, precision, sha256[weights.name], content_of(sha256))
    path = expand_home(name)
    if not os.access(path, os.F_OK):  # which takes a name that is too long, or a folder out of reach, for none
        raise ModelError(f"no model and no folder is called {name!r}", hint=did_you_mean(name))
    path, name, named = find_folder(path)
    layout = layout_of(path)
    weights, precision = _weights(layout, path, named if precision == AUTO and not soc else precision, soc)
    check_files(path, layout, weights)
    logger.debug("hashing the files of the %s model in %s", layout.family, path)
    with reading(path, ModelError):
        sha256 = hash_files(layout, path, weights)
    verify_model_yaml(path, sha256)
    return Model(name, layout.family, path, weights, precision, sha256[weights.name], content_of(sha256))


def cpu_twin_path(model: Model) -> Path:
    """The graph that a compiled model was made from. Raises `ModelError` where that is not in its folder."""
    source = source_of(model.weights)
    if source is None or not source.is_file():
        what = f"the graph that {model.weights.name} was made from is not beside it"
        raise ModelError(what, where=model.path, hint="Compile it with funasr-cli convert in the folder of the graph.")
    return source


def cpu_twin(model: Model) -> Model:
    """The model that a compiled one was made from, hashed. Raises `ModelError` where that is not in its folder."""
    source = cpu_twin_path(model)
    return replace(model, weights=source, precision="float32", sha256=sha256_of(source))


def _weights(layout: ModelLayout, path: Path, precision: str, soc: str) -> tuple[Path, str]:
    if not soc:
        return choose_weights(layout, path, precision)
    if not layout.compiled:
        hint = "To run it on the CPU, say so: --device cpu"
        raise ModelError(f"{layout.family} models do not run on an NPU in this version", where=path, hint=hint)
    if precision != AUTO:
        raise ModelError(f"what is compiled for an NPU has its own precision, not --precision {precision}", where=path)
    return choose_om(path, soc), COMPILED


def obtain(entry: CatalogueEntry) -> Path:
    """The model's folder; a model that comes in packages is put together where it is not there yet.

    Raises `ModelError` that says how to bring the model here.
    """
    path = folder_of(entry)
    with reading(path, ModelError, hint=ANOTHER_STORE):  # the home of another user, as sudo -u may leave it
        present = path.is_dir()
    if not present:
        if not is_installed(entry):
            raise ModelError(f"the model {entry.name} is not on this machine", hint=_how_to_bring(entry))
        assemble(entry, path)
    return path


def verified(entry: CatalogueEntry) -> tuple[Path, OriginRecord]:
    """The model's folder and record, every file hashed. Raises `ModelError` where one is missing or changed."""
    path = obtain(entry)
    logger.debug("hashing the files of %s in %s", entry.name, path)
    record = read_record(path, entry)
    again = "it will be made anew" if is_installed(entry) else f"then: {entry.install}"
    with reading(path, ModelError, hint=ANOTHER_STORE):
        verify(path, record, hint=f"The model was changed. Remove the folder {path}; {again}.")
    return path, record


def _how_to_bring(entry: CatalogueEntry) -> str:
    return (
        f"With network: {entry.install}\n"
        f"  Without: funasr-cli models pack {entry.name} -o {entry.name}.tar, on a machine that has it; carry the file "
        f"over; here, funasr-cli models import {entry.name}.tar\n"
        "  Or name a model folder: --model DIR"
    )
