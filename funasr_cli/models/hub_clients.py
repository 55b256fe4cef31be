"""Adapters for the hubs' own clients, with what a pull needs.

The clients are imported on use. They find a mirror through their own variables (MODELSCOPE_ENDPOINT, HF_ENDPOINT), show
progress on stderr, and raise their own exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

from funasr_cli.models.catalogue import HUGGINGFACE, MODELSCOPE, Repository


@dataclass(frozen=True, slots=True)
class Expected:
    """A file on a hub: size in bytes, and hex sha256 or, if the hub has only that, git's blob hash."""

    name: str
    size: int
    digest: str


class Client(Protocol):
    """Access to one repository at one revision."""

    title: ClassVar[str]
    repository: Repository

    def __init__(self, repository: Repository, scratch: Path) -> None: ...

    def listing(self, names: Sequence[str]) -> list[Expected]:
        """Size and hash of these files on the hub. May replace the repository's revision by its commit."""
        ...

    def fetch(self, file: Expected, folder: Path) -> None:
        """Download a file to `folder`; data that is there from an earlier attempt is not downloaded again."""
        ...


class ModelScope:
    """ModelScope's client, the package `modelscope-hub`."""

    title: ClassVar[str] = "ModelScope"

    def __init__(self, repository: Repository, scratch: Path) -> None:
        from modelscope_hub import HubApi, HubConfig

        self.repository = repository
        # A separate configuration: no cookies are read, no identifier is stored, nothing is written to the home folder.
        self._api = HubApi(HubConfig(cache_dir=scratch, config_dir=scratch))

    def listing(self, names: Sequence[str]) -> list[Expected]:
        where = self.repository
        listed = {file.path: file for file in self._api.list_repo_files(where.name, "model", revision=where.revision)}
        for name in names:
            if name not in listed or not listed[name].sha256:
                raise ValueError(f"{where.name} at {where.revision} does not list {name} with a sha256")
        return [Expected(name, listed[name].size, listed[name].sha256 or "") for name in names]

    def fetch(self, file: Expected, folder: Path) -> None:
        self._api.download_file(
            self.repository.name,
            "model",
            file.name,
            revision=self.repository.revision,
            local_dir=folder,
            expected_sha256=file.digest,
            file_size=file.size,
        )


class HuggingFace:
    """`huggingface_hub`, through the function beneath its downloads, which can resume an interrupted download."""

    title: ClassVar[str] = "Hugging Face"

    def __init__(self, repository: Repository, scratch: Path) -> None:
        from huggingface_hub import close_session

        self.repository = repository
        close_session()  # an open session would still use the earlier certificates

    def listing(self, names: Sequence[str]) -> list[Expected]:
        from huggingface_hub import get_hf_file_metadata

        expected = []
        for name in names:
            metadata = get_hf_file_metadata(self._url(name))
            if metadata.size is None or metadata.etag is None or metadata.commit_hash is None:
                raise ValueError(f"{self._url(name)}: the hub reports no size, hash or commit")
            self.repository = replace(self.repository, revision=metadata.commit_hash)
            expected.append(Expected(name, metadata.size, metadata.etag))
        return expected

    def fetch(self, file: Expected, folder: Path) -> None:
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        target, partial = folder / file.name, folder / f"{file.name}.incomplete"
        if target.exists():
            return
        with partial.open("ab") as out:
            if out.tell() > file.size:
                out.truncate(0)
            http_get(
                self._url(file.name),
                out,
                resume_size=out.tell(),
                headers={**build_hf_headers(), "Accept-Encoding": "identity"},  # a partial gzip stream is useless
                expected_size=file.size,
                displayed_filename=file.name,
            )
        partial.rename(target)

    def _url(self, name: str) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self.repository.name, name, revision=self.repository.revision)


CLIENTS: Mapping[str, type[Client]] = {MODELSCOPE: ModelScope, HUGGINGFACE: HuggingFace}
