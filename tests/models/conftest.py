from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from funasr_cli.models import catalogue
from funasr_cli.models.catalogue import CatalogueEntry, ModelFile, Repository
from tests.support.hub import COMMIT, Hub, serving, sha256

FILES = {
    "config.json": b'{"toy": true}\n',
    "model.bin": random.Random(1).randbytes(3_000_000),
    "tokenizer.json": b"{}\n",
}
"""A model with all files of Whisper's layout."""

TOY = CatalogueEntry(
    name="toy",
    family="whisper",
    languages="none",
    licence="MIT",
    files=tuple(ModelFile(name, len(data), sha256(data)) for name, data in FILES.items()),
    hubs={"modelscope": Repository("acme/toy", "master"), "huggingface": Repository("acme/toy", COMMIT)},
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model store, with a catalogue that has the model `toy`."""
    monkeypatch.setitem(catalogue.CATALOGUE, "toy", TOY)  # type: ignore[arg-type]
    folder = tmp_path / "store"
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(folder))
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with `toy`, at the address that both clients use."""
    toys = Hub(dict(FILES))
    with serving(toys) as url:
        point_clients_at(url, tmp_path, monkeypatch)
        yield toys


def point_clients_at(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make both hubs' clients use `url`, and give up at the first failure."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100_000)  # the cost of a break, else 10 MB
    monkeypatch.setattr("modelscope_hub._download.DOWNLOAD_RETRY_TIMES", 0)
    monkeypatch.setattr("modelscope_hub._download.DOWNLOAD_HASH_RETRY_TIMES", 1)
    monkeypatch.setattr("modelscope_hub._legacy_api.REPO_TREE_PAGE_MAX_ATTEMPTS", 1)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", url)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
