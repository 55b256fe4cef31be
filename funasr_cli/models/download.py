"""Fetch a model from a hub into the model store.

A pull that was interrupted is taken up where it stopped: what has arrived stays in a folder of its own in the store
until the model is whole. Only the files that the catalogue names are asked for, and each is hashed when it is here.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from funasr_cli.callbacks import Tell
from funasr_cli.errors import FunasrError, ModelError, UsageError, writing
from funasr_cli.files import sha256_of
from funasr_cli.models.atomic_folder import ANOTHER_STORE, atomic_folder
from funasr_cli.models.catalogue import CatalogueEntry, ModelFile
from funasr_cli.models.certificates import certificate_hint, trusted_certificates
from funasr_cli.models.hub_clients import CLIENTS, Client, Expected
from funasr_cli.models.origin import ORIGIN_FILE, Origin, OriginRecord, check_family
from funasr_cli.system.locks import locked

logger = logging.getLogger(__name__)

PARTIAL_DIR = ".pulling"
"""The folder in the store for models that are on their way."""


def pull(entry: CatalogueEntry, folder: Path, hub: str, revision: str | None, tell: Tell) -> None:
    """Fetch the model's files into `folder`, which appears whole or not at all, with a record of their origin.

    Each file has to be the catalogue's, or with a `revision` (branch, tag, commit), what the hub says it is. Raises
    `ModelError` where a file cannot be had or is another one.
    """
    repository = entry.hubs.get(hub)
    if repository is None:
        raise UsageError(f"{entry.name} is not on {CLIENTS[hub].title}", hint=f"It is on: {', '.join(entry.hubs)}.")
    if revision is not None:
        repository = replace(repository, revision=revision)
    unfinished = folder.parent / PARTIAL_DIR
    scratch = unfinished / quote(f"{entry.name}@{hub}@{repository.revision}", safe="@")
    with _only_pull(unfinished, tell):
        if folder.is_dir():
            return  # by the pull that was waited for
        with _failures_explained(entry, CLIENTS[hub].title), trusted_certificates():
            scratch.mkdir(exist_ok=True)
            client = CLIENTS[hub](repository, scratch)
            if revision is None:
                expected = [Expected(file.name, file.size, file.sha256) for file in entry.files]
            else:
                expected = client.listing([file.name for file in entry.files])
            files = [_fetch(client, file, scratch, tell) for file in sorted(expected, key=lambda file: file.size)]
            check_family(scratch, entry)
        origin = Origin(hub, client.repository.name, client.repository.revision, _now())
        record = OriginRecord(entry.name, origin, tuple(sorted(files, key=lambda file: file.name)))
        with atomic_folder(folder, ANOTHER_STORE) as work:
            for file in files:
                (scratch / file.name).rename(work / file.name)
            (work / ORIGIN_FILE).write_bytes(record.to_bytes())
        shutil.rmtree(scratch, ignore_errors=True)


def _fetch(client: Client, expected: Expected, scratch: Path, tell: Tell) -> ModelFile:
    """Bring one file here and check it; a wrong one is removed, so that the next pull asks for it anew."""
    logger.debug("fetching %s into %s", expected, scratch)
    tell(f"{expected.name}: {expected.size:,} bytes")
    client.fetch(expected, scratch)
    path = scratch / expected.name
    sha256 = sha256_of(path)
    found = sha256 if len(expected.digest) == len(sha256) else _git_blob_hash(path)
    if found != expected.digest:
        path.unlink()
        raise ValueError(f"{expected.name} has the hash {found}, expected {expected.digest}")
    return ModelFile(expected.name, path.stat().st_size, sha256)


def _git_blob_hash(path: Path) -> str:
    """What git calls a file's content. Only small files are in git itself."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def _failures_explained(entry: CatalogueEntry, title: str) -> Iterator[None]:
    """Make one error of the many that the clients, and the libraries below them, raise; and keep their logs quiet."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # each has handlers of its own, and tells of every try
    try:
        yield
    except FunasrError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:600] or type(error).__name__
        certificate = certificate_hint(error)
        raise ModelError(
            f"{entry.name} cannot be fetched from {title}: {reason}",
            hint=(f"{certificate}\n  " if certificate else "")
            + "What has arrived is kept; the same command goes on from there.\n"
            f"  Without network: funasr-cli models pack {entry.name} -o {entry.name}.tar, on a machine with network; "
            f"carry the file over; here, funasr-cli models import {entry.name}.tar",
        ) from error
    finally:
        logging.disable(disabled)


@contextmanager
def _only_pull(folder: Path, tell: Tell) -> Iterator[None]:
    """Of several pulls into one store, one runs at a time."""
    with writing(folder, ModelError, hint=ANOTHER_STORE):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock", owner="pull", wait=True, tell=tell):
        yield


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
