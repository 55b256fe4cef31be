"""How many processes a run starts, by the machine it is on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from funasr_cli.executors.placement import RUN_LIMIT_S, Placement
from funasr_cli.models.store import Model
from funasr_cli.pool import sizing
from funasr_cli.pool.sizing import PoolSize, cpu_pool_size, npu_pool_size, single_placement
from funasr_cli.system.resources import Memory

GB = 10**9


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model with a gigabyte of weights."""
    weights = tmp_path / "model.onnx"
    with weights.open("wb") as file:
        file.truncate(GB)
    return Model("m", "sensevoice", tmp_path, weights, "float32", "", "")


def on_cpu(workers: int, devices: int, runs: int, threads: int) -> PoolSize:
    return PoolSize(workers, (Placement(threads, runs=runs),) * devices)


@pytest.mark.parametrize(
    ("cores", "nodes", "memory", "expected"),
    [
        (1, 1, 8, on_cpu(2, 1, 1, 1)),
        (2, 1, 8, on_cpu(2, 1, 2, 1)),
        (8, 1, 32, on_cpu(2, 1, 8, 1)),
        (16, 1, 64, on_cpu(4, 1, 16, 1)),
        (40, 1, 64, on_cpu(10, 1, 20, 2)),
        (64, 1, 256, on_cpu(16, 1, 32, 2)),
        (64, 2, 256, on_cpu(16, 2, 32, 1)),
        (128, 4, 256, on_cpu(32, 4, 32, 1)),
        (128, 4, 11, on_cpu(32, 1, 32, 4)),
    ],
)
def test_windows_side_by_side_on_each_node_as_cores_and_memory_allow(
    model: Model, monkeypatch: pytest.MonkeyPatch, cores: int, nodes: int, memory: int, expected: PoolSize
) -> None:
    monkeypatch.setattr(sizing, "usable_cores", lambda: cores)
    monkeypatch.setattr(sizing, "usable_memory", lambda: Memory(memory * GB, limited=False))
    assert cpu_pool_size(model, None, recordings=1000, nodes=[None] * nodes) == expected


@pytest.mark.parametrize(
    ("nodes", "runs", "expected"),
    [(1, 1, (1, 8)), (1, 3, (3, 2)), (1, 8, (8, 1)), (1, 12, (12, 1)), (2, 4, (2, 2)), (2, 2, (1, 4))],
)
def test_as_many_windows_at_a_time_as_asked_for(
    model: Model, monkeypatch: pytest.MonkeyPatch, nodes: int, runs: int, expected: tuple[int, int]
) -> None:
    monkeypatch.setattr(sizing, "usable_cores", lambda: 8)
    monkeypatch.setattr(sizing, "usable_memory", lambda: Memory(256 * GB, limited=False))
    placements = cpu_pool_size(model, None, 1000, nodes=[None] * nodes, runs=runs).placements
    assert [(placement.runs, placement.threads) for placement in placements] == [expected] * nodes
    assert len(cpu_pool_size(model, None, 1000, nodes=[None] * nodes, runs=1).placements) == 1
    alone = single_placement(model, [], fallback=False, window_timeout=300, runs=runs)
    assert (alone.runs, alone.threads) == (runs, max(1, 8 // runs))


def test_no_more_workers_than_recordings(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizing, "usable_cores", lambda: 64)
    monkeypatch.setattr(sizing, "usable_memory", lambda: Memory(256 * GB, limited=False))
    assert cpu_pool_size(model, None, recordings=3) == on_cpu(3, 1, 32, 2)
    assert cpu_pool_size(model, 1, recordings=3).workers == 1


@pytest.mark.parametrize(
    ("cores", "npus", "workers"),
    [(4, 1, 3), (2, 1, 2), (64, 1, 4), (64, 8, 32), (16, 8, 8), (8, 8, 2)],
)
def test_each_npu_has_a_process_and_workers_that_keep_it_busy(
    monkeypatch: pytest.MonkeyPatch, cores: int, npus: int, workers: int
) -> None:
    monkeypatch.setattr(sizing, "usable_cores", lambda: cores)
    found = npu_pool_size(range(npus), None, recordings=1000, fallback=False, window_timeout=300)
    assert found.workers == workers
    assert [placement.npu for placement in found.placements] == list(range(npus))
    assert npu_pool_size(range(npus), 7, recordings=1000, fallback=False, window_timeout=300).workers == 7


def test_a_run_on_an_npu_leaves_time_for_a_reset_and_another_run(model: Model) -> None:
    (placement,) = npu_pool_size([0], None, 100, fallback=False, window_timeout=9).placements
    alone = single_placement(model, [0, 1], fallback=True, window_timeout=9)
    assert placement.limit == alone.limit == 3
    assert (alone.npu, alone.fallback) == (0, True)
    assert single_placement(model, [], fallback=False, window_timeout=300).limit == RUN_LIMIT_S
    assert placement.runs == alone.runs == 1


@pytest.mark.parametrize(
    ("family", "memory", "nodes", "batch"),
    [
        ("whisper", 12, 1, 2),
        ("whisper", 10, 1, 1),
        ("whisper", 22, 2, 2),
        ("whisper", 13, 2, 1),
        ("sensevoice", 99, 1, 1),
    ],
)
def test_a_run_has_a_batch_if_the_model_gains_by_it_and_there_is_memory(
    model: Model, monkeypatch: pytest.MonkeyPatch, family: str, memory: int, nodes: int, batch: int
) -> None:
    monkeypatch.setattr(sizing, "usable_cores", lambda: 8)
    monkeypatch.setattr(sizing, "usable_memory", lambda: Memory(memory * GB, limited=False))
    size = cpu_pool_size(replace(model, family=family), None, 1000, nodes=[None] * nodes)
    assert {placement.batch for placement in size.placements} == {batch}
    assert size.windows == 8 * batch
    if nodes == 1:
        alone = single_placement(replace(model, family=family), [], fallback=False, window_timeout=300, runs=2)
        assert (alone.runs, alone.windows) == (2, 2 * alone.batch)


def test_the_size_is_told_in_a_line() -> None:
    assert str(on_cpu(1, 1, 1, 8)) == "1 worker, 1 device process with 8 threads"
    assert str(on_cpu(2, 1, 2, 1)) == "2 workers, 1 device process with 2 windows at a time, 1 thread each"
    assert str(on_cpu(4, 2, 8, 2)) == "4 workers, 2 device processes with 8 windows at a time, 2 threads each"
    assert str(npu_pool_size([0], 3, 100, fallback=False, window_timeout=300)) == "3 workers, NPU 0"
    two = npu_pool_size([0, 2], 3, 100, fallback=True, window_timeout=300)
    assert str(two) == "3 workers, NPUs 0, 2"
    assert str(two.on_nodes([1, 0])) == "3 workers, NPUs 0, 2, kept on NUMA nodes 0, 1"
    assert str(on_cpu(1, 1, 1, 8).on_nodes([3])) == "1 worker, 1 device process with 8 threads, kept on NUMA node 3"


def test_workers_are_on_the_nodes_of_the_devices() -> None:
    crew_ = on_cpu(5, 2, 1, 8).on_nodes([1, 0])
    assert [crew_.node_of(worker) for worker in range(5)] == [1, 0, 1, 0, 1]
    assert [placement.node for placement in on_cpu(1, 3, 1, 8).on_nodes([2]).placements] == [2, 2, 2]
