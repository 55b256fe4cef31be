"""Shared code of the benchmarks, mainly `--smoke`: the same measurement on tiny input, to show that it still works.

Importing this puts the checkout on the path, for this process and its children: the measured package is the one next to
the benchmarks, and the tests' support code, which is not installed, is found.
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
"""10 and 24 seconds of words, all known to the model next to them, with their times in a JSON file each."""

SHARED = ROOT.parent / "shared"
"""The developers' recordings and checkpoints, which users do not have."""

CommandLines: TypeAlias = Iterator[Sequence[object]]
"""Command lines of tiny runs; the code after a `yield` runs after that run."""


def run_benchmark(main: Callable[[Sequence[str]], None], smoke: Callable[[Path], CommandLines]) -> None:
    """Run `main` with this process's command line; with `--smoke` alone, with each command line from `smoke`."""
    if sys.argv[1:] != ["--smoke"]:
        main(sys.argv[1:])
        return
    with tempfile.TemporaryDirectory() as folder:
        for arguments in smoke(Path(folder)):
            main(list(map(str, arguments)))
    print("smoke: passed")


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Make a parser with the docstring of a benchmark as its help."""
    return argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="--smoke alone: the same measurement on tiny input.",
    )


def is_installed(package: str) -> bool:
    """Whether a package is installed; if not, print that it is skipped."""
    found = find_spec(package) is not None
    if not found:
        print(f"skipped: {package} is not installed")
    return found


def skip(why: str) -> NoReturn:
    """End a smoke run that has nothing to run."""
    print(f"skipped: {why}")
    sys.exit(0)


def export_nano(folder: Path) -> Path:
    """Export the small model like `funasr-cli export --int8`."""
    from funasr_cli.export.make import from_graph
    from tests.support.nano import write_float32_nano

    graph, target = write_float32_nano(folder / "float32"), folder / "nano"
    from_graph(graph, target, window=15.0, topk=32, int8=True, tell=lambda _: None)
    return target
