"""Downloads a model from a hub to the model store.

An interrupted pull resumes where it stopped: downloaded data stays in a separate folder of the store until the model is
complete. Only files in the catalogue are requested, and each is hashed after the download.
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
"""Folder in the store for partial downloads."""


def pull(entry: CatalogueEntry, folder: Path, hub: str, revision: str | None, tell: Tell) -> None:
    """Download the model's files to `folder`, which appears complete or not at all, with a record of their origin.

    Each file must match the catalogue or, with a `revision` (branch, tag, commit), what the hub lists. Raises
    `ModelError` if a file cannot be downloaded or does not match.
    """
    repository = entry.hubs.get(hub)
    if repository is None:
        raise UsageError(f"{entry.name} is not on {CLIENTS[hub].title}", hint=f"Available on: {', '.join(entry.hubs)}.")
    if revision is not None:
        repository = replace(repository, revision=revision)
    unfinished = folder.parent / PARTIAL_DIR
    scratch = unfinished / quote(f"{entry.name}@{hub}@{repository.revision}", safe="@")
    with _only_pull(unfinished, tell):
        if folder.is_dir():
            return  # made by the pull that this one waited for
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
    """Download one file and verify it; a wrong file is removed, so that the next pull downloads it again."""
    logger.debug("fetching %s into %s", expected, scratch)
    tell(f"{expected.name}: {expected.size:,} bytes")
    client.fetch(expected, scratch)
    path = scratch / expected.name
    sha256 = sha256_of(path)
    found = sha256 if len(expected.digest) == len(sha256) else _git_blob_hash(path)
    if found != expected.digest:
        path.unlink()
        raise ValueError(f"{expected.name} has hash {found}, expected {expected.digest}")
    return ModelFile(expected.name, path.stat().st_size, sha256)


def _git_blob_hash(path: Path) -> str:
    """Git's hash of a file's content; hubs list it for small files, which are in git itself."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def _failures_explained(entry: CatalogueEntry, title: str) -> Iterator[None]:
    """Turn the various errors of the clients and their libraries into a `ModelError`, and silence their logs."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # each client has its own handlers and logs every attempt
    try:
        yield
    except FunasrError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:600] or type(error).__name__
        certificate = certificate_hint(error)
        raise ModelError(
            f"{entry.name} cannot be downloaded from {title}: {reason}",
            hint=(f"{certificate}\n  " if certificate else "")
            + "Partial downloads are kept; run the same command again to resume.\n"
            f"  Without network: run funasr-cli models pack {entry.name} -o {entry.name}.tar on a machine that has the "
            f"model, copy the file here, and run funasr-cli models import {entry.name}.tar",
        ) from error
    finally:
        logging.disable(disabled)


@contextmanager
def _only_pull(folder: Path, tell: Tell) -> Iterator[None]:
    """Admit one pull at a time to a store."""
    with writing(folder, ModelError, hint=ANOTHER_STORE):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock", owner="pull", wait=True, tell=tell):
        yield


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
