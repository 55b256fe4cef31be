"""A model in packages is joined, verified, and appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.models.catalogue import WHISPER_BASE, CatalogueEntry, EmbeddedPart, ModelFile
from funasr_cli.models.embedded import assemble, is_installed
from funasr_cli.models.store import find_model

PIECES = {"model.bin.part1": b"first half, ", "model.bin.part2": b"second half"}
MODEL = b"".join(PIECES.values())
CONFIG = b"{}"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ENTRY = CatalogueEntry(
    name="toy",
    family="whisper",
    languages="none",
    licence="MIT",
    files=(
        ModelFile("config.json", len(CONFIG), sha256(CONFIG)),
        ModelFile("model.bin", len(MODEL), sha256(MODEL)),
    ),
    parts=(
        EmbeddedPart("toy_part1", ("model.bin.part1", "config.json")),
        EmbeddedPart("toy_part2", ("model.bin.part2",)),
    ),
)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages on the path; their code must never run."""
    root = tmp_path / "site"
    for part in ENTRY.parts:
        data = root / part.module / "data"
        data.mkdir(parents=True)
        (root / part.module / "__init__.py").write_text("raise RuntimeError('a stranger was run')")
        for name in part.files:
            (data / name).write_bytes(PIECES.get(name, CONFIG))
    monkeypatch.syspath_prepend(root)
    return root


def test_pieces_are_joined_in_order(packages: Path, tmp_path: Path) -> None:
    target = tmp_path / "store" / "toy"
    assert is_installed(ENTRY)
    assemble(ENTRY, target)
    assert (target / "model.bin").read_bytes() == MODEL
    assert {path.name for path in target.iterdir()} == {"model.bin", "config.json"}
    assert list(target.parent.iterdir()) == [target]


def test_a_wrong_byte_is_found_and_nothing_is_left(packages: Path, tmp_path: Path) -> None:
    (packages / "toy_part2" / "data" / "model.bin.part2").write_bytes(b"second hal!")
    target = tmp_path / "store" / "toy"
    with pytest.raises(ModelError, match=r"(?s)model.bin: has sha256 .* expected .*pip install"):
        assemble(ENTRY, target)
    assert list(target.parent.iterdir()) == []


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    assert not is_installed(ENTRY)
    with pytest.raises(ModelError, match=r"(?s)toy-part1 is not installed.*pip install .*\[embedded\]"):
        assemble(ENTRY, tmp_path / "toy")


def test_a_folder_that_cannot_be_written_is_named(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"store/toy: the model cannot be stored here"):
        assemble(ENTRY, tmp_path / "store" / "toy")


def test_what_killed_processes_left_is_swept_when_it_is_old(packages: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    old, young = store / ".toy.0123.funasr-tmp", store / ".toy.4567.funasr-tmp"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 7200,) * 2)
    assemble(ENTRY, store / "toy")
    assert {path.name for path in store.iterdir()} == {"toy", young.name}


def test_many_processes_at_once_do_not_hurt_each_other(packages: Path, tmp_path: Path) -> None:
    (packages / "toy_part2" / "data" / "model.bin.part2").write_bytes(b"x" * 30_000_000)
    script = (
        "import sys, dataclasses; from pathlib import Path; from tests.models.test_embedded import ENTRY, sha256\n"
        "from funasr_cli.models.catalogue import ModelFile\n"
        "from funasr_cli.models.embedded import assemble\n"
        "whole = b'first half, ' + b'x' * 30_000_000\n"
        "model = ModelFile('model.bin', len(whole), sha256(whole))\n"
        "assemble(dataclasses.replace(ENTRY, files=(ENTRY.files[0], model)), Path(sys.argv[1]))\n"
    )
    target = tmp_path / "store" / "toy"
    environment = {**os.environ, "PYTHONPATH": f"{packages}:{Path(__file__).parents[2]}"}
    processes = [subprocess.Popen([sys.executable, "-c", script, str(target)], env=environment) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert (target / "model.bin").stat().st_size == 30_000_012
    assert list(target.parent.iterdir()) == [target]


def test_whisper_base_is_what_the_catalogue_says(embedded: None, model_store: Path) -> None:
    model = find_model("whisper-base")
    assert model.path == model_store / "whisper-base"
    assert model.sha256 in {file.sha256 for file in WHISPER_BASE.files if file.name == "model.bin"}
