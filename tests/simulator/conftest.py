"""Small models for the simulated runtime."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.simulator.fixtures import Npu, bare_npu, compile_om
from tests.simulator.fixtures import npu as npu
from tests.support.graphs import write_graph


@pytest.fixture(scope="session")
def oms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models that return the `mean` of ten frames; of 4 or 10; and of any number."""
    folder = tmp_path_factory.mktemp("oms")
    fixed, free = write_graph(folder / "fixed.onnx", 10), write_graph(folder / "free.onnx", "frames")
    return {
        "static": compile_om(fixed, folder / "static.om", "x:1,10,2;count:1"),
        "gears": compile_om(free, folder / "gears.om", "x:1,-1,2;count:1", "--dynamic_dims=4;10"),
        "dynamic": compile_om(free, folder / "dynamic.om", "x:1,-1,2;count:1"),
    }


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Npu:
    """A machine whose rules may be broken."""
    return bare_npu(monkeypatch, tmp_path)


@pytest.fixture
def acl(bare: Npu) -> ModuleType:
    """The runtime of that machine."""
    import acl

    return acl
