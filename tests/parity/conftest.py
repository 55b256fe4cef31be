"""Parity with FunASR's own code: needs torch and funasr, unlike the program."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from funasr_cli.arrays import Samples
from funasr_cli.export.make import from_checkpoint
from tests.support.meetings import samples_of
from tests.support.random_sensevoice import write_checkpoint

LENGTHS = (1_600, 4_000, 16_000, 52_345, 160_000, 239_000, 240_000)
"""Lengths of clips in samples, from 0.1 s to a whole window."""


@pytest.fixture(scope="session", autouse=True)
def reference() -> Iterator[None]:
    """Skip if the reference is not installed; keep its output out of the report."""
    for package in ("torch", "funasr", "onnx"):
        pytest.importorskip(package, reason=f"parity needs the extra [export]: no {package}", exc_type=ImportError)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class Exported:
    """A checkpoint in FunASR's own layout, and the folder that `funasr-cli export` makes from it."""

    checkpoint: Path
    folder: Path


def export(checkpoint: Path, folder: Path) -> Exported:
    from_checkpoint(checkpoint, folder, window=15.0, topk=32, int8=False, tell=lambda _: None)
    return Exported(checkpoint, folder)


@pytest.fixture(scope="session")
def nano(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A small, trained model."""
    return export(shared / "nano", tmp_path_factory.mktemp("nano") / "exported")


@pytest.fixture(scope="session")
def full(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """SenseVoiceSmall in full size, with random weights."""
    folder, facts = tmp_path_factory.mktemp("full"), shared / "facts" / "sensevoice"
    write_checkpoint(folder / "checkpoint", facts / "tokens.json", facts / "am.mvn")
    return export(folder / "checkpoint", folder / "exported")


@pytest.fixture(scope="session")
def auto_model(nano: Exported) -> Any:
    """The small model in FunASR's own AutoModel."""
    from funasr import AutoModel

    return AutoModel(model=str(nano.checkpoint), device="cpu", disable_update=True, disable_pbar=True)


@pytest.fixture(scope="session")
def words(shared: Path) -> list[tuple[Path, str]]:
    """Every 25th of the recorded words that nano was trained on, and its text."""
    with (shared / "speech" / "words.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["split"] == "train"]
    return [(shared / "speech" / row["file"], row["text"]) for row in rows[::25]]


@pytest.fixture(scope="session")
def speech(words: list[tuple[Path, str]]) -> Samples:
    """Fifteen seconds of recorded words, one after the other."""
    return np.concatenate([samples_of(path) for path, _ in words[:40]])[:240_000]
