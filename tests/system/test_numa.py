"""The node of an NPU, read from recorded trees of sysfs, and a process pinned to it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from funasr_cli.errors import UsageError
from funasr_cli.executors.ascend import npu_smi, topology
from funasr_cli.executors.ascend.npu_smi import Chip
from funasr_cli.system import numa
from tests.support.sysfs import COMPRESSION, write_sysfs

NPUS = {"0000:01:00.0": 0, "0000:82:00.0": 1}


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two nodes, an NPU on each, and a network adapter by the same maker."""
    monkeypatch.setattr(numa, "SYSFS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "no npu-smi"))
    monkeypatch.delenv("ASCEND_RT_VISIBLE_DEVICES", raising=False)
    return write_sysfs(tmp_path, {0: "0-3,8", 1: "4-7"}, NPUS)


def chip(device: int, bus: str | None) -> Chip:
    return Chip(device, 0, device, "Ascend910B3", "OK", bus)


def test_nodes_and_npus_are_those_of_the_kernel(sysfs: Path) -> None:
    assert numa.nodes() == {0: {0, 1, 2, 3, 8}, 1: {4, 5, 6, 7}}
    assert topology.accelerators() == list(NPUS)


def test_a_kunpengs_engine_for_compression_is_no_npu(sysfs: Path) -> None:
    write_sysfs(sysfs, {}, {})
    assert (sysfs / "bus/pci/devices" / COMPRESSION / "class").read_text() == "0x120000\n"
    assert topology.accelerators() == []


@pytest.mark.parametrize("driver", [False, True])
def test_whether_a_driver_has_an_npu_is_known(sysfs: Path, driver: bool) -> None:
    write_sysfs(sysfs, {}, NPUS, driver=driver)
    assert [topology.has_driver(address) for address in NPUS] == [driver] * 2


def test_a_node_of_memory_alone_is_none_to_run_on(sysfs: Path) -> None:
    write_sysfs(sysfs, {2: ""}, {})
    assert list(numa.nodes()) == [0, 1]


def test_an_npu_hangs_where_its_address_is(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chips = [chip(0, "0000:82:00.0"), chip(1, "0000:01:00.0")]
    assert [topology.node_of(npu, chips) for npu in (0, 1)] == [1, 0]
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "1")
    assert topology.node_of(0, chips) == 0


def test_without_addresses_only_a_node_that_all_npus_share_is_known(sysfs: Path) -> None:
    assert topology.node_of(0) is None
    assert topology.node_of(0, [chip(0, None)]) is None
    write_sysfs(sysfs, {}, {"0000:01:00.0": 1})
    assert topology.node_of(0) == topology.node_of(5) == 1


@pytest.mark.parametrize("told", [-1, None])
def test_a_node_that_the_firmware_does_not_tell_is_unknown(sysfs: Path, told: int | None) -> None:
    write_sysfs(sysfs, {}, {"0000:01:00.0": told})
    assert topology.node_of(0, [chip(0, "0000:01:00.0")]) is None


def test_the_node_is_chosen_by_the_npu_by_number_or_not_at_all(sysfs: Path) -> None:
    chips = [chip(0, "0000:82:00.0")]
    assert topology.choose_node("auto", 0, chips) == 1
    assert topology.choose_node("off", 0, chips) is None
    assert topology.choose_node(0, 0, chips) == 0
    with pytest.raises(UsageError, match="no NUMA node 7") as raised:
        topology.choose_node(7, 0, chips)
    assert "Nodes of this machine: 0, 1" in str(raised.value)


def test_each_npu_has_its_node(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npu_smi, "ask", lambda: [chip(0, "0000:82:00.0"), chip(1, "0000:01:00.0")])
    assert topology.choose_nodes("auto", [0, 1]) == [1, 0]
    assert topology.choose_nodes("1", [0, 1]) == [1, 1]
    assert topology.choose_nodes("off", [0, 1]) == [None, None]


def test_the_cpu_has_a_process_on_each_node_that_may_be_used(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert topology.choose_nodes("1", []) == [1]
    assert topology.choose_nodes("off", []) == [None]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert topology.choose_nodes("auto", []) == [0, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert topology.choose_nodes("auto", []) == [None]


def test_one_node_leaves_nothing_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numa, "SYSFS", write_sysfs(tmp_path, {0: "0-63"}, {"0000:01:00.0": 0}))
    assert topology.choose_node("auto", 0, [chip(0, "0000:01:00.0")]) is None
    assert topology.describe({0: 0}) == "one node, nothing to pin"


def test_a_kernel_that_tells_nothing_is_one_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numa, "SYSFS", tmp_path)
    assert topology.choose_node("auto", 0, []) is None
    assert topology.describe({}) == "one node, nothing to pin"


def test_two_nodes_are_told_with_what_hangs_on_them(sysfs: Path) -> None:
    assert topology.describe({0: 1, 1: None}) == (
        "2 nodes: node 0 has 5 cores; node 1 has 4 cores; NPU 0 on node 1; NPU 1 on an unknown node"
    )


def test_a_pinned_process_runs_on_the_nodes_cores_that_it_may_use(tmp_path: Path) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    write_sysfs(tmp_path, {0: f"{allowed[0]},4000", 1: "4001-4003"}, {})
    assert pinned(tmp_path, 0)[0] == {allowed[0]}
    assert pinned(tmp_path, 1)[0] == set(allowed)
    assert pinned(tmp_path, None)[0] == set(allowed)


def test_its_memory_comes_from_the_node_first(tmp_path: Path) -> None:
    try:
        ctypes.CDLL("libnuma.so.1")
    except OSError:
        pytest.skip("libnuma is not installed")
    write_sysfs(tmp_path, {0: f"{min(os.sched_getaffinity(0))}"}, {})
    if pinned(tmp_path, 0)[2]:
        pytest.skip("memory policies are forbidden here")
    assert pinned(tmp_path, 0)[1] == numa.PREFERRED
    assert pinned(tmp_path, None)[1] == 0


def pinned(sysfs: Path, node: int | None) -> tuple[set[int], int, bool]:
    """Pin a new process; return its cores, its memory policy, and whether it may not set one."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_pin, args=(theirs, sysfs, node))
    process.start()
    try:
        assert ours.poll(60)
        answer: tuple[set[int], int, bool] = ours.recv()
        return answer
    finally:
        process.join()


def _pin(pipe: Connection, sysfs: Path, node: int | None) -> None:
    numa.SYSFS = sysfs
    numa.pin(node)
    policy, forbidden = ctypes.c_int(0), False
    with suppress(OSError):
        libnuma = ctypes.CDLL("libnuma.so.1")
        forbidden = libnuma.get_mempolicy(ctypes.byref(policy), None, ctypes.c_ulong(0), None, ctypes.c_ulong(0)) != 0
    pipe.send((os.sched_getaffinity(0), policy.value, forbidden))
