"""What the benchmarks share, above all `--smoke`: the same measurement on tiny input, which shows that it still works.

Importing this puts the checkout on the path, for this process and those it starts: the package that is measured is the
one beside the benchmarks, and the tests' support code is not installed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

NANO = ROOT / "tests" / "assets" / "nano"
PAUSES, NO_PAUSES = NANO / "words-with-pauses.flac", NANO / "words-without-pauses.flac"
"""10 and 24 seconds of words, all of which the model beside them knows, with their times in a JSON file each."""

SHARED = ROOT.parent / "shared"
"""The developers' recordings and checkpoints, which a user does not have."""

CommandLines: TypeAlias = Iterator[Sequence[object]]
"""Of tiny runs; what comes after a `yield` is done after that run."""


def run_benchmark(main: Callable[[Sequence[str]], None], smoke: Callable[[Path], CommandLines]) -> None:
    """Run `main` with this process's command line; with `--smoke` alone, with each that `smoke` gives for a folder."""
    if sys.argv[1:] != ["--smoke"]:
        main(sys.argv[1:])
        return
    with tempfile.TemporaryDirectory() as folder:
        for arguments in smoke(Path(folder)):
            main(list(map(str, arguments)))
    print("smoke: passed")


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the docstring of a benchmark for its help."""
    return argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="--smoke alone: the same measurement on tiny input.",
    )


def is_installed(package: str) -> bool:
    """Whether a package is installed; one that is not is reported as left out."""
    found = find_spec(package) is not None
    if not found:
        print(f"left out: {package} is not installed")
    return found


def skip(why: str) -> NoReturn:
    """End a smoke run that has nothing to run."""
    print(f"skipped: {why}")
    sys.exit(0)


def export_nano(folder: Path) -> Path:
    """The small model as `funasr-cli export --int8` writes it."""
    from funasr_cli.export.make import from_graph
    from tests.support.nano import write_float32_nano

    graph, target = write_float32_nano(folder / "float32"), folder / "nano"
    from_graph(graph, target, window=15.0, topk=32, int8=True, tell=lambda _: None)
    return target
