"""Fixtures for all tests: real recordings, and the real model, loaded once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

import hypothesis
import pytest

from funasr_cli.executors.placement import Placement
from funasr_cli.models.catalogue import WHISPER_BASE
from funasr_cli.models.embedded import is_installed
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.window_runner import WindowRunner, load_window_runner
from funasr_cli.system.resources import usable_cores
from tests.support.command import Run, run_command

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
NANO = ROOT / "tests" / "assets" / "nano"
SHARED = ROOT.parent / "shared"

ENERGY_REPORT = (
    "Good morning. The annual report on energy will be published on Monday. "
    "Please read the second chapter before the meeting."
)
"""The text of samples/energy-report.flac."""


# No test judges by the clock, and each run is like the last. People get the smallest example that fails, CI the first:
# the search for the smallest may take minutes.
FOUND = [phase for phase in hypothesis.Phase if phase not in (hypothesis.Phase.shrink, hypothesis.Phase.explain)]
hypothesis.settings.register_profile("people", deadline=None, derandomize=True)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("people"), phases=FOUND)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "people")

MARKS: Mapping[str, Collection[str]] = {
    "process": {"run", "start", "shell", "doctor", "models", "cann", "installed"},
    "model": {"embedded", "runner", "published", "frozen", "meeting", "meeting_without_pauses", "shared"},
    "simulator": {"npu", "leaky", "bare", "oms", "program"},
}
"""Marks for tests that use one of these fixtures. Modules set further marks with `pytestmark`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its requirements, to select it with -m; slow files come first."""
    weights: Counter[Path] = Counter()
    for item in items:
        if "scenarios" in item.path.parts:
            item.add_marker("process")
            weights[item.path] += 100
        fixtures = set(getattr(item, "fixturenames", ()))
        for mark, names in MARKS.items():
            if fixtures & set(names):
                item.add_marker(mark)
                weights[item.path] += 1
    items.sort(key=lambda item: -weights[item.path])


def pytest_configure(config: pytest.Config) -> None:
    """Make pytest-xdist hand out files in this order, not those with the most tests first."""
    config.option.loadscopereorder = False


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in an empty folder."""
    return partial(run_command, tmp_path)


@pytest.fixture
def sample() -> Path:
    """Seven seconds of English."""
    return SAMPLES / "energy-report.flac"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The developers' folder of recordings, which users do not have."""
    if not SHARED.is_dir():
        pytest.skip("needs the developers' recordings in ../shared")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def model_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model store for the tests, in this process and its children."""
    store = tmp_path_factory.mktemp("models")
    before = os.environ.get("FUNASR_CLI_MODELS")
    os.environ["FUNASR_CLI_MODELS"] = str(store)
    yield store
    if before is None:
        del os.environ["FUNASR_CLI_MODELS"]
    else:
        os.environ["FUNASR_CLI_MODELS"] = before


@pytest.fixture(scope="session")
def embedded() -> None:
    """Skip if the packages with the weights of whisper-base are not installed."""
    if not is_installed(WHISPER_BASE):
        pytest.skip(f"needs the weights of whisper-base: {WHISPER_BASE.install}")


@pytest.fixture(scope="session")
def runner(embedded: None) -> WindowRunner:
    """whisper-base on the CPU."""
    return load_window_runner(find_model("whisper-base"), Placement(usable_cores()))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model in float32: a graph with free dimensions, in FunASR's form."""
    from tests.support.nano import write_float32_nano

    return write_float32_nano(tmp_path_factory.mktemp("published") / "nano")


@pytest.fixture(scope="session")
def frozen(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model after `freeze`, for six seconds and the best five labels."""
    from funasr_cli.export.make import from_graph

    target = tmp_path_factory.mktemp("frozen") / "nano"
    from_graph(published, target, window=6.0, topk=5, int8=False, tell=lambda _: None)
    return target
