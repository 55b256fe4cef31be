"""Finds the model that `--model` names, by catalogue name or path, and verifies it for loading."""

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

    `weights` is the file that is run, `precision` its numeric type (`float32`, `int8`, or `om` for a compiled model,
    whose precision is built in), `sha256` its hash; `content` is one hash of all files that affect a text.
    """

    name: str
    family: str
    path: Path
    weights: Path
    precision: str
    sha256: str
    content: str

    def made_absolute(self) -> Model:
        """The same model with absolute paths, for a process with another working folder."""
        return replace(self, path=self.path.absolute(), weights=self.weights.absolute())


COMPILED = "om"


def store_dir() -> Path:
    """The model store: $FUNASR_CLI_MODELS, or else funasr-cli/models in the user's cache folder."""
    named = os.environ.get("FUNASR_CLI_MODELS")
    if named:
        return expand_home(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "funasr-cli" / "models"
    except RuntimeError as error:  # a user without a home folder, as in containers
        hint = "Choose a folder: export FUNASR_CLI_MODELS=DIR"
        raise MachineError("no place for models: this user has no home folder", hint=hint) from error


def folder_of(entry: CatalogueEntry) -> Path:
    """The model's folder in the store, which need not exist."""
    return store_dir() / entry.name


def is_present(entry: CatalogueEntry) -> bool:
    """Whether the model is in the store."""
    return os.path.isdir(folder_of(entry))  # False, without an error, if permission is denied


def fault(entry: CatalogueEntry) -> str | None:
    """Why a run would refuse the model in the store, as far as can be seen without hashing; None if it looks fine."""
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
    return f"{printable(min(sizes))} in {printable(folder)} is not part of the model" if sizes else None


def default_model() -> tuple[str, str]:
    """The name of the default model, and the reason in words."""
    for entry in (SENSEVOICE_SMALL, SENSEVOICE_SMALL_INT8):
        if is_present(entry):
            return entry.name, f"{entry.name} is in the model store"
    better = SENSEVOICE_SMALL
    return DEFAULT_MODEL, f"the embedded model; for Chinese, {better.name} is better: {better.install}"


def find_model(name: str, precision: str = AUTO, soc: str = "") -> Model:
    """Find a model by catalogue name or path, and verify its files as far as their hashes are known.

    For an NPU, `soc` is the SoC that it must be compiled for. Raises `ModelError` if there is no such model, if it is
    incomplete or changed, or if it is not available in this `precision` or for this `soc`.
    """
    entry = CATALOGUE.get(name)
    if entry is not None:
        path, record = verified(entry)
        layout = layout_of(path)
        weights, precision = _weights(layout, path, precision, soc)
        sha256 = record.sha256
        return Model(entry.name, layout.family, path, weights, precision, sha256[weights.name], content_of(sha256))
    path = expand_home(name)
    if not os.access(path, os.F_OK):  # also false for a name that is too long or a folder that may not be entered
        raise ModelError(f"no model, file or folder is named {name!r}", hint=did_you_mean(name))
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
    """The graph that a compiled model was made from. Raises `ModelError` if it is not in the model's folder."""
    source = source_of(model.weights)
    if source is None or not source.is_file():
        what = f"the graph that {model.weights.name} was compiled from is missing"
        raise ModelError(what, where=model.path, hint="Compile it with funasr-cli convert in the folder of the graph.")
    return source


def cpu_twin(model: Model) -> Model:
    """The model that a compiled one was made from, hashed. Raises `ModelError` if it is not in the model's folder."""
    source = cpu_twin_path(model)
    return replace(model, weights=source, precision="float32", sha256=sha256_of(source))


def _weights(layout: ModelLayout, path: Path, precision: str, soc: str) -> tuple[Path, str]:
    if not soc:
        return choose_weights(layout, path, precision)
    if not layout.compiled:
        hint = "Run it on the CPU: --device cpu"
        raise ModelError(f"{layout.family} models do not run on an NPU in this version", where=path, hint=hint)
    if precision != AUTO:
        raise ModelError(f"--precision {precision} does not apply to a model compiled for an NPU", where=path)
    return choose_om(path, soc), COMPILED


def obtain(entry: CatalogueEntry) -> Path:
    """The model's folder; a model that comes as packages is assembled on first use.

    If the model is missing, raises `ModelError` that says how to install it.
    """
    path = folder_of(entry)
    with reading(path, ModelError, hint=ANOTHER_STORE):  # after sudo -u, this may be the home of another user
        present = path.is_dir()
    if not present:
        if not is_installed(entry):
            raise ModelError(f"the model {entry.name} is not on this machine", hint=_how_to_bring(entry))
        assemble(entry, path)
    return path


def verified(entry: CatalogueEntry) -> tuple[Path, OriginRecord]:
    """The model's folder and record, after hashing every file. Raises `ModelError` if one is missing or changed."""
    path = obtain(entry)
    logger.debug("hashing the files of %s in %s", entry.name, path)
    record = read_record(path, entry)
    again = "the next run creates it again" if is_installed(entry) else f"then run: {entry.install}"
    with reading(path, ModelError, hint=ANOTHER_STORE):
        verify(path, record, hint=f"The model was changed. Remove the folder {path}; {again}.")
    return path, record


def _how_to_bring(entry: CatalogueEntry) -> str:
    return (
        f"With network: {entry.install}\n"
        f"  Without: run funasr-cli models pack {entry.name} -o {entry.name}.tar on a machine that has the model, "
        f"copy the file here, and run funasr-cli models import {entry.name}.tar\n"
        "  Or use a model folder: --model DIR"
    )
