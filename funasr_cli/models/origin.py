"""The record of a model's origin: its name, where it comes from, and the sha256 of each of its files.

It is stored in the model's folder as `origin.json`, and every loaded file is checked against it. A folder without one,
assembled from packages or filled by hand, must match the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from funasr_cli.errors import ModelError, reading
from funasr_cli.files import sha256_of
from funasr_cli.models.catalogue import CatalogueEntry, ModelFile
from funasr_cli.models.layouts import layout_of

ORIGIN_FILE = "origin.json"
FORMAT = 1
MAX_RECORD_BYTES = 1 << 16
"""Maximum bytes of a record; one with a few files has under 2,000."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The hub, repository and revision that a model was pulled from, and when (ISO 8601, UTC)."""

    hub: str
    repository: str
    revision: str
    date: str


@dataclass(frozen=True, slots=True)
class OriginRecord:
    """A model, its origin (None if it did not come from a hub), and its files sorted by name."""

    model: str
    origin: Origin | None
    files: tuple[ModelFile, ...]

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hashes by file name."""
        return {file.name: file.sha256 for file in self.files}

    def to_bytes(self) -> bytes:
        """JSON; equal records give equal bytes."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()


def parse_record(data: bytes, where: Path) -> OriginRecord:
    """Parse a record written by `to_bytes`. Raises `ModelError` for anything unexpected; the source may be hostile."""
    try:
        if len(data) > MAX_RECORD_BYTES:
            raise ValueError("too long")
        fields = json.loads(data)
        if fields.pop("format") != FORMAT:
            raise ValueError("written by a newer version of funasr-cli")
        origin = None if fields["origin"] is None else Origin(**fields["origin"])
        files = tuple(ModelFile(**file) for file in fields["files"])
        record = OriginRecord(**{**fields, "origin": origin, "files": files})
        texts = [record.model, *(asdict(origin).values() if origin else ())]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a field that should be text is not")
        names = [file.name for file in files]
        if names != sorted(set(names) - {ORIGIN_FILE}):
            raise ValueError("the files are not sorted by name without duplicates")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelError(f"not a record of a model's origin: {error}", where=where) from error
    return record


def read_record(folder: Path, entry: CatalogueEntry) -> OriginRecord:
    """Read the record in a model's folder; without a file, make one from the catalogue."""
    path = folder / ORIGIN_FILE
    with reading(path, ModelError):
        try:
            with path.open("rb") as file:
                record = parse_record(file.read(MAX_RECORD_BYTES + 1), path)
        except FileNotFoundError:
            return OriginRecord(entry.name, None, entry.files)
    if record.model != entry.name:
        raise ModelError(f"is the record of {record.model!r}, but the folder is that of {entry.name}", where=path)
    return record


def is_known(record: OriginRecord, entry: CatalogueEntry) -> bool:
    """Whether the files are exactly those of the catalogue, rather than another revision or a modified copy."""
    return set(record.files) == set(entry.files)


def described(record: OriginRecord) -> str:
    """The origin that the record states, in words."""
    origin = record.origin
    return f"from {origin.hub}, {origin.repository} at {origin.revision}" if origin else "not from a hub"


def check_family(folder: Path, entry: CatalogueEntry) -> None:
    """Raise `ModelError` unless the folder has a model of the entry's family."""
    family = layout_of(folder).family
    if family != entry.family:
        raise ModelError(f"the files are a {family} model, but {entry.name} is a {entry.family} model")


def verify(folder: Path, record: OriginRecord, *, hint: str) -> None:
    """Raise `ModelError` unless the folder has exactly the files of the record, unchanged; hidden files are ignored."""
    for file in record.files:
        verify_file(folder / file.name, file, hint=hint)
    known = {ORIGIN_FILE, *record.sha256}
    for path in sorted(folder.iterdir()):
        if path.name not in known and not path.name.startswith("."):
            raise ModelError(f"unexpected file: not part of the model {record.model}", where=path, hint=hint)


def verify_file(path: Path, expected: ModelFile, *, hint: str) -> None:
    """Raise `ModelError` unless the file has the expected content."""
    with reading(path, ModelError):
        try:
            found = sha256_of(path)
        except FileNotFoundError:
            raise ModelError("is missing", where=path, hint=hint) from None
    if found != expected.sha256:
        raise ModelError(f"has sha256 {found}, expected {expected.sha256}", where=path, hint=hint)
