from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.meetings import Meeting, make_meeting


@pytest.fixture(scope="session")
def meeting(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Meeting:
    """Ten minutes with pauses of 0.4 s and 3 s."""
    return make_meeting(shared, tmp_path_factory.mktemp("meeting"), "--minutes", "10")


@pytest.fixture(scope="session")
def meeting_without_pauses(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Meeting:
    return make_meeting(shared, tmp_path_factory.mktemp("meeting"), "--minutes", "10", "--gap", "0", "--long-gap", "0")
