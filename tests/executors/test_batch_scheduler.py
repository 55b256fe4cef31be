"""Which step comes next; steps end only when the test lets them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
import pytest

from funasr_cli.arrays import Arrays
from funasr_cli.executors.batch_scheduler import BatchScheduler

LIMIT_S = 10.0


@dataclass(frozen=True)
class Number:
    value: int

    @property
    def kind(self) -> bool:
        """Numbers below 100 are of one kind."""
        return self.value < 100


class Gated:
    """Steps on numbers, each of which waits until the test ends it. Nothing can be generated with 13."""

    def __init__(self) -> None:
        self._begun: SimpleQueue[str] = SimpleQueue()
        self._gates: dict[str, threading.Event] = {}

    def _step(self, name: str, numbers: Sequence[int]) -> None:
        step = " ".join([name, *map(str, numbers)])
        gate = self._gates.setdefault(step, threading.Event())
        self._begun.put(step)
        assert gate.wait(LIMIT_S), step

    def begun(self, count: int = 1) -> set[str]:
        """Return the next steps that have begun."""
        return {self._begun.get(timeout=LIMIT_S) for _ in range(count)}

    def end(self, step: str) -> None:
        self._gates[step].set()

    def end_all(self, *steps: str) -> None:
        """Steps that may come in this order, one after the other."""
        for step in steps:
            assert self.begun() == {step}
            self.end(step)

    def nothing_begins(self) -> bool:
        return self._begun.empty()

    def encode(self, inputs: Arrays) -> Number:
        number = int(inputs["x"][0])
        self._step("encode", [number])
        if number < 0:
            raise ValueError("negative")
        return Number(number)

    def generate(self, batch: Sequence[Number]) -> Sequence[int]:
        numbers = [it.value for it in batch]
        self._step("generate", numbers)
        if 13 in numbers:
            raise RuntimeError("13 is unlucky")
        return [2 * number for number in numbers]

    def align(self, encoded: Number, generated: int) -> Arrays:
        return {"x": np.array([generated])}


@pytest.fixture
def steps() -> Gated:
    return Gated()


class Scheduler:
    """The scheduler under test, and the windows submitted to it."""

    def __init__(self, steps: Gated, threads: int) -> None:
        self.made = BatchScheduler(steps, threads, max_batch=4)

    def take(self, *numbers: int) -> list[Future[tuple[Arrays, float]]]:
        return [self.made.submit({"x": np.array([number])}) for number in numbers]


@pytest.fixture
def one(steps: Gated) -> Iterator[Scheduler]:
    scheduler = Scheduler(steps, 1)
    yield scheduler
    scheduler.made.close()


@pytest.fixture
def two(steps: Gated) -> Iterator[Scheduler]:
    scheduler = Scheduler(steps, 2)
    yield scheduler
    scheduler.made.close()


def results(futures: Sequence[Future[tuple[Arrays, float]]]) -> list[int]:
    return [int(future.result(LIMIT_S)[0]["x"][0]) for future in futures]


def test_a_single_window_waits_for_no_other(steps: Gated, one: Scheduler) -> None:
    futures = one.take(1)
    steps.end_all("encode 1", "generate 1")
    assert results(futures) == [2]


def test_windows_that_come_meanwhile_are_a_batch(steps: Gated, one: Scheduler) -> None:
    futures = one.take(1)
    assert steps.begun() == {"encode 1"}
    futures += one.take(2, 3, 4, 5, 6)
    steps.end("encode 1")
    steps.end_all("encode 2", "encode 3", "encode 4", "generate 1 2 3 4", "encode 5", "encode 6", "generate 5 6")
    assert results(futures) == [2, 4, 6, 8, 10, 12]


def test_few_windows_are_shared_among_the_threads(steps: Gated, two: Scheduler) -> None:
    futures = two.take(1, 2)
    assert steps.begun(2) == {"encode 1", "encode 2"}
    steps.end("encode 1")
    assert steps.begun() == {"generate 1"}  # the other thread has a window to come
    futures += two.take(3, 4, 5)
    steps.end("encode 2")
    steps.end_all("encode 3", "encode 4", "encode 5", "generate 2 3 4 5")  # everything the other thread could share
    steps.end("generate 1")
    assert results(futures) == [2, 4, 6, 8, 10]


def test_four_windows_on_two_threads_are_two_batches(steps: Gated, two: Scheduler) -> None:
    futures = two.take(0)
    assert steps.begun() == {"encode 0"}
    futures += two.take(1, 2, 3)
    assert steps.begun() == {"encode 1"}
    steps.end("encode 0")
    assert steps.begun() == {"encode 2"}
    steps.end("encode 1")
    assert steps.begun() == {"generate 0 1"}
    steps.end("encode 2")
    steps.end_all("encode 3", "generate 2 3")
    steps.end("generate 0 1")
    assert results(futures) == [0, 2, 4, 6]


def test_the_window_that_has_waited_longest_is_generated_first_whatever_its_kind(steps: Gated, one: Scheduler) -> None:
    futures = one.take(100)
    assert steps.begun() == {"encode 100"}
    futures += one.take(1, 2, 3, 4)
    steps.end("encode 100")
    steps.end_all("encode 1", "encode 2", "encode 3", "generate 100", "encode 4", "generate 1 2 3 4")
    assert results(futures) == [200, 2, 4, 6, 8]


def test_an_error_is_that_of_its_window_alone(steps: Gated, one: Scheduler) -> None:
    futures = one.take(1)
    assert steps.begun() == {"encode 1"}
    futures += one.take(-1, 13, 3)
    steps.end("encode 1")
    steps.end_all("encode -1", "encode 13", "encode 3", "generate 1 13 3", "generate 1", "generate 13", "generate 3")
    for future, message in ((futures.pop(2), "13 is unlucky"), (futures.pop(1), "negative")):
        with pytest.raises(Exception, match=message):
            future.result(LIMIT_S)
    assert results(futures) == [2, 6]
    futures = one.take(4)  # and it goes on
    steps.end_all("encode 4", "generate 4")
    assert results(futures) == [8]


def test_if_it_is_closed_steps_end_and_none_begins(steps: Gated) -> None:
    scheduler = Scheduler(steps, 1)
    futures = scheduler.take(1, 2)
    assert steps.begun() == {"encode 1"}
    closing = threading.Thread(target=scheduler.made.close)
    closing.start()
    with pytest.raises(CancelledError):
        futures[1].result(LIMIT_S)
    steps.end("encode 1")
    closing.join(LIMIT_S)
    assert not closing.is_alive()
    for future in (futures[0], *scheduler.take(3)):
        with pytest.raises(CancelledError):
            future.result(LIMIT_S)
    assert steps.nothing_begins()
