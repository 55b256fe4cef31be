"""The simulated NPU, and the small model compiled for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.fixtures import npu as npu
from tests.simulator.nano_oms import NanoOms, make_nano_oms


@pytest.fixture(scope="session")
def oms(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> NanoOms:
    """Nano for six seconds, in every layout."""
    return make_nano_oms(frozen, tmp_path_factory.mktemp("oms"))
