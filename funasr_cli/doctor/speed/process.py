"""Processes that measure: each loads a model as a device process does, and answers the parent."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.errors import FunasrError, MachineError
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import load_executor, load_recognizer
from funasr_cli.recognizers.base import Request
from funasr_cli.system.numa import pin
from funasr_cli.system.process import ChildFailed, ChildProcess, Death, init_child, out_of_memory_kills
from funasr_cli.system.resources import peak_memory

ANSWER_TIMEOUT_S = 900.0
"""Seconds for an answer: a round of the largest model on a slow machine takes minutes."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The executor's description of itself, and the seconds that its first window took, with nothing else running."""

    device: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of audio processed, of wall-clock time and of CPU time; peak memory of the process so far, in bytes."""

    audio: float
    wall: float
    cpu: float
    peak_memory: int

    @classmethod
    def together(cls, rounds: Sequence[Round]) -> Round:
        """Combine the rounds of processes that ran at the same time."""
        return cls(
            sum(it.audio for it in rounds),
            max(it.wall for it in rounds),
            sum(it.cpu for it in rounds),
            sum(it.peak_memory for it in rounds),
        )


class MeasuringProcess:
    """A process that runs a generator: `receive` returns what it yields, `send` sends it a value."""

    def __init__(self, function: Callable[..., Generator[Any, Any, None]], *arguments: Any) -> None:
        self._kills = out_of_memory_kills()
        self._child = ChildProcess("spawn", _serve, function, arguments)

    def send(self, message: object) -> None:
        self._child.send(message)

    def receive(self) -> Any:
        """Return the next answer. Raises the generator's `FunasrError`, or `MachineError` if the process died."""
        try:
            if not self._child.pipe.poll(ANSWER_TIMEOUT_S):
                raise MachineError(f"no answer within {ANSWER_TIMEOUT_S:.0f} s")
            answer = self._child.pipe.recv()
        except (EOFError, OSError):
            code = self._child.join()
            how = Death.of(code, memory_ran_out=out_of_memory_kills() > self._kills).how
            raise MachineError(f"the process was lost ({how})") from None
        if isinstance(answer, ChildFailed):
            raise answer.error
        if isinstance(answer, FunasrError):
            raise answer
        return answer

    def __enter__(self) -> MeasuringProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.join()


def run_windows(
    model: Model, placement: Placement, sounds: Sequence[Samples], language: str | None
) -> Generator[Loaded | Round, int, None]:
    """Load the model; then, for each number sent, run that number of windows, `placement.windows` at a time."""
    pin(placement.node)
    executor, graph = load_executor(model, placement, lambda _: None)
    with closing(executor), ThreadPoolExecutor(placement.windows) as threads:
        recognizer = load_recognizer(model, graph)
        windows = [(len(it) / SAMPLE_RATE, recognizer.prepare(it, Request(language))) for it in sounds]
        started = time.perf_counter()
        executor.run(windows[0][1])
        count = yield Loaded(graph.device, time.perf_counter() - started)
        while True:
            chosen = list(islice(cycle(windows), count))
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in threads.map(executor.run, [inputs for _, inputs in chosen]):
                pass
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            count = yield Round(sum(seconds for seconds, _ in chosen), wall, cpu, peak_memory())


def _serve(pipe: Connection, function: Callable[..., Generator[Any, Any, None]], arguments: Sequence[Any]) -> None:
    init_child("funasr-speed")
    with suppress(EOFError, OSError):  # the parent is gone or has finished
        try:
            answers = function(*arguments)
            pipe.send(next(answers))
            while True:
                pipe.send(answers.send(pipe.recv()))
        except FunasrError as error:
            pipe.send(error)
        except Exception as error:  # a runtime may raise anything
            pipe.send(MachineError(f"{type(error).__name__}: {error}"))
