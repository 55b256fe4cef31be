"""How many processes a run starts, by the machine it is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.batch import crew
from funasr_cli.batch.crew import Crew, cpu_crew
from funasr_cli.batch.devices import Memory
from funasr_cli.models.store import Model

GB = 10**9


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model with a gigabyte of weights."""
    weights = tmp_path / "model.onnx"
    with weights.open("wb") as file:
        file.truncate(GB)
    return Model("m", "sensevoice", tmp_path, weights, "float32", "", "")


@pytest.mark.parametrize(
    ("cores", "memory", "expected"),
    [
        (1, 8, Crew(2, 1, 1)),
        (2, 8, Crew(2, 1, 2)),
        (8, 32, Crew(2, 1, 8)),
        (16, 64, Crew(4, 2, 8)),
        (64, 256, Crew(16, 8, 8)),
        (64, 12, Crew(16, 4, 16)),
        (64, 2, Crew(16, 1, 16)),
    ],
)
def test_graphs_side_by_side_as_cores_and_memory_allow(
    model: Model, monkeypatch: pytest.MonkeyPatch, cores: int, memory: int, expected: Crew
) -> None:
    monkeypatch.setattr(crew, "usable_cores", lambda: cores)
    monkeypatch.setattr(crew, "usable_memory", lambda: Memory(memory * GB, limited=False))
    assert cpu_crew(model, None, recordings=1000) == expected


def test_no_more_processes_than_recordings(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "usable_cores", lambda: 64)
    monkeypatch.setattr(crew, "usable_memory", lambda: Memory(256 * GB, limited=False))
    assert cpu_crew(model, None, recordings=3) == Crew(3, 3, 16)
    assert cpu_crew(model, 1, recordings=3).workers == 1
