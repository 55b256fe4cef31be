"""A measured program with its model loaded, and its settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar, TypeVar

import smoke  # noqa: F401  # puts the checkout on the path

from funasr_cli.models.store import Model
from funasr_cli.system.resources import usable_cores

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Setting:
    """How a program is used: `beside` windows or recordings in parallel, each on `threads` threads; 0: one per core.

    `batch` windows are computed as one, if the program can. `folder` is the environment of the program, see `peers.py
    environments`.
    """

    folder: str = "installed"
    threads: int = 0
    beside: int = 1
    batch: int = 1

    @property
    def cores(self) -> int:
        """Threads per run."""
        return self.threads or usable_cores()

    @property
    def runs(self) -> int:
        """Parallel runs."""
        return self.beside or usable_cores()

    def __str__(self) -> str:
        threads = f"{self.cores} thread{'s' * (self.cores > 1)}"
        beside = f"{self.runs} in parallel, {threads} each" if self.runs > 1 else threads
        return f"{beside}, batches of {self.batch}" if self.batch > 1 else beside


@dataclass(frozen=True)
class Answer:
    """Times that a program took for some recordings, in seconds, and the text of each.

    `whole` starts with the process: it includes loading and imports.
    """

    wall: float
    cpu: float
    texts: list[str]
    whole: float = 0.0


class Contender:
    """A program with its model loaded."""

    package: ClassVar[str]
    settings: ClassVar[Mapping[str, Setting]]

    def __init__(self, model: Model, setting: Setting) -> None:
        raise NotImplementedError

    runtime = ""
    """The runtime that computes, with its version."""

    def transcribe(self, paths: Sequence[Path]) -> Answer:
        """Measure the time from files to texts."""
        started, before = time.perf_counter(), time.process_time()
        texts = self.texts(paths)
        return Answer(time.perf_counter() - started, time.process_time() - before, texts)

    def texts(self, paths: Sequence[Path]) -> list[str]:
        """Return the text of each recording."""
        raise NotImplementedError


def each(do: Callable[[Item], Result], items: Iterable[Item], runs: int) -> list[Result]:
    """Return `do` of each item, `runs` at a time, starting as soon as there is an item."""
    if runs == 1:
        return list(map(do, items))
    with ThreadPoolExecutor(runs) as pool:
        return list(pool.map(do, items))


def runtime(package: str) -> str:
    """Return the name of a package with its version."""
    return f"{package} {version(package)}"
