"""A model as one file, to be carried to a machine without network.

A bundle is a plain tar archive (ustar): `<model>/origin.json`, then the model's files in the order of that record. The
same model gives the same bytes. A tar archive of the model's folder made by `tar` also works, in any order.

A bundle is read header by header instead of with `tarfile`'s own reader, which follows links and extensions that do
not belong in one. A file that the record does not list, with its size and sha256, is refused before any byte of it is
written.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tarfile import AREGTYPE, BLOCKSIZE, RECORDSIZE, REGTYPE, USTAR_FORMAT, HeaderError, TarInfo
from typing import BinaryIO

from funasr_cli.errors import ModelError, OutputError, reading, writing
from funasr_cli.files import CHUNK_BYTES, atomic_file, printable
from funasr_cli.models.atomic_folder import ANOTHER_STORE, atomic_folder
from funasr_cli.models.catalogue import entry_named
from funasr_cli.models.origin import (
    MAX_RECORD_BYTES,
    ORIGIN_FILE,
    OriginRecord,
    check_family,
    described,
    is_known,
    parse_record,
    verify,
)


def pack(folder: Path, record: OriginRecord, bundle: Path) -> None:
    """Write the verified model in `folder` to the file `bundle`, completely or not at all.

    Raises `OutputError` if the file cannot be written.
    """
    if not bundle.name or bundle.is_dir():
        raise OutputError("is a folder", where=bundle, hint="Name a file, e.g. model.tar.")
    head = record.to_bytes()
    with writing(bundle, OutputError), atomic_file(bundle) as out:
        out.write(_header(f"{record.model}/{ORIGIN_FILE}", len(head)))
        out.write(head + _padding(len(head)))
        for file in record.files:
            out.write(_header(f"{record.model}/{file.name}", file.size))
            with (folder / file.name).open("rb") as source:
                _copy(source, out, file.size)
            out.write(_padding(file.size))
        out.write(bytes(2 * BLOCKSIZE))
        out.write(bytes(-out.tell() % RECORDSIZE))


def unpack(bundle: Path, store: Path, *, trust: bool = False) -> OriginRecord:
    """Extract the model in `bundle` to its folder in `store`, completely or not at all, and verify every file.

    The files must be those of the catalogue; with `trust`, those of the bundle's own record. An existing folder with
    the same files is left as it is. Raises `ModelError` if the file is not a bundle, is damaged, or contains anything
    that does not belong in a bundle.
    """
    with reading(bundle, ModelError), bundle.open("rb") as source:
        record = _read_head(source, bundle)
        entry = entry_named(record.model)
        if not (trust or is_known(record, entry)):
            raise ModelError(
                f"its files are not the known files of {entry.name}",
                where=bundle,
                hint=f"Its record says: {described(record)}. If you trust whoever packed it, add --trust.",
            )
        folder = store / entry.name
        if folder.is_dir():
            verify(folder, record, hint=f"To import {entry.name} from the bundle, remove the folder {folder} first.")
            return record
        with atomic_folder(folder, ANOTHER_STORE) as work:
            _unpack_files(source, record, bundle, work)
            check_family(work, entry)
            (work / ORIGIN_FILE).write_bytes(record.to_bytes())
    return record


def _read_head(source: BinaryIO, bundle: Path) -> OriginRecord:
    """Read the record in a bundle, check that the file is long enough for it, and rewind."""
    header = _next_header(source, bundle)
    while header is not None and header.size >= 0 and not header.name.endswith(f"/{ORIGIN_FILE}"):
        source.seek(_padded(header.size), os.SEEK_CUR)
        header = _next_header(source, bundle)
    if header is None or not 0 < header.size <= MAX_RECORD_BYTES:
        raise ModelError("not a bundle made by `funasr-cli models pack`", where=bundle)
    record = parse_record(source.read(header.size), bundle)
    if header.name != f"{record.model}/{ORIGIN_FILE}":
        raise ModelError(f"refused: {printable(header.name)} is a record of {record.model!r}", where=bundle)
    needed = sum(BLOCKSIZE + _padded(size) for size in [header.size, *(file.size for file in record.files)])
    length = os.fstat(source.fileno()).st_size
    if length < needed:
        raise ModelError(f"truncated: {length:,} bytes, but its record requires {needed:,}", where=bundle)
    source.seek(0)
    return record


def _unpack_files(source: BinaryIO, record: OriginRecord, bundle: Path, folder: Path) -> None:
    """Extract the files of the record to `folder`, and nothing else."""
    missing = {f"{record.model}/{file.name}": file for file in record.files}
    seen = set[str]()
    while header := _next_header(source, bundle):
        if header.isdir() and header.name in (".", record.model) and not header.size:
            continue  # the entry that tar makes for the folder itself
        if header.type not in (REGTYPE, AREGTYPE):
            raise ModelError(f"refused: {printable(header.name)} is not a plain file", where=bundle)
        if header.name in seen:
            raise ModelError(f"refused: {printable(header.name)} occurs twice", where=bundle)
        seen.add(header.name)
        if header.name == f"{record.model}/{ORIGIN_FILE}":
            source.seek(_padded(header.size), os.SEEK_CUR)  # already read
            continue
        file = missing.pop(header.name, None)
        if file is None:
            raise ModelError(f"refused: {printable(header.name)} is not in its record", where=bundle)
        if header.size != file.size:
            raise ModelError(f"refused: {header.name} has {header.size:,} bytes, expected {file.size:,}", where=bundle)
        with (folder / file.name).open("xb") as out:
            found = _copy(source, out, file.size)
        if found != file.sha256:
            raise ModelError(f"damaged: {header.name} has sha256 {found}, expected {file.sha256}", where=bundle)
        source.read(len(_padding(file.size)))
    if missing:
        raise ModelError(f"incomplete: missing {', '.join(missing)}", where=bundle)


def _header(name: str, size: int) -> bytes:
    """The header of a regular file, without anything that differs between machines."""
    header = TarInfo(name)
    header.size = size
    return header.tobuf(USTAR_FORMAT)


def _next_header(source: BinaryIO, bundle: Path) -> TarInfo | None:
    """Read the next header; None at the end. Raises `ModelError` if there is no valid header."""
    block = source.read(BLOCKSIZE)
    if not block.strip(b"\0"):
        return None
    try:
        header = TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except HeaderError as error:
        raise ModelError(f"not a bundle, or damaged: {error}", where=bundle) from error
    header.name = header.name.removeprefix("./")
    return header


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCKSIZE)


def _padded(size: int) -> int:
    return size + len(_padding(size))


def _copy(source: BinaryIO, out: BinaryIO, size: int) -> str:
    """Copy `size` bytes, or fewer if the source ends; returns the sha256 of the copied bytes."""
    digest = hashlib.sha256()
    while size and (chunk := source.read(min(size, CHUNK_BYTES))):
        out.write(chunk)
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()
