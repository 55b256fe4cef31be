"""The engine recognises a whole window, however early the model stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from funasr_cli.arrays import SAMPLE_RATE, Arrays, Samples
from funasr_cli.audio.windows import Bounds, Window
from funasr_cli.executors.base import Fetch
from funasr_cli.models.store import Model
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.window_runner import (
    MAX_RESTS,
    LocalGraphRunner,
    RunResult,
    WindowRunner,
    concurrent_windows,
)
from funasr_cli.recognizers.base import Hypothesis, Request
from funasr_cli.transcript import Token

ORIGIN = 100 * SAMPLE_RATE


class Scripted:
    """A recogniser and executor that returns one hypothesis after another, and records its inputs."""

    window = 30.0
    inputs = outputs = ()
    device = "none"

    def __init__(self, *script: Hypothesis) -> None:
        self.script = list(script)
        self.seen: list[tuple[float, Request]] = []

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        self.seen.append((len(samples) / SAMPLE_RATE, request))
        return {}

    def begin(self, inputs: Arrays) -> Fetch:
        return lambda: (inputs, 0.0)

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        return self.script.pop(0)

    def close(self) -> None: ...


@pytest.fixture
def recognize() -> Callable[..., tuple[Hypothesis, list[tuple[float, Request]]]]:
    def run(
        *script: Hypothesis, seconds: float = 20.0, padding: float | None = None, timings: StageTimings | None = None
    ) -> tuple[Hypothesis, list[tuple[float, Request]]]:
        scripted = Scripted(*script)
        model = Model("m", "f", None, None, "float32", "", "")  # type: ignore[arg-type]
        runner = WindowRunner(model, scripted, LocalGraphRunner(scripted), "none", padding=padding)  # type: ignore[arg-type]
        samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
        window = Window(samples, (Bounds(ORIGIN, ORIGIN + len(samples)),))
        result = asyncio.run(runner.recognize(window, None, timings or StageTimings()))
        assert not scripted.script
        return result, scripted.seen

    return run


def said(text: str, at: float, **more: object) -> Hypothesis:
    return Hypothesis((Token(text, at, at + 1, 0.9),), "zh", **more)  # type: ignore[arg-type]


def test_a_window_heard_to_its_end_is_run_once(recognize: Callable[..., tuple[Hypothesis, list]]) -> None:
    result, seen = recognize(said("甲", 0.0, heard=19.8))
    assert [token.text for token in result.tokens] == ["甲"]
    assert seen == [(20.0, Request(None))]


def test_the_rest_of_a_window_is_run_in_the_same_language(recognize: Callable[..., tuple[Hypothesis, list]]) -> None:
    result, seen = recognize(said("甲", 0.0, heard=8.0), said("乙", 1.0, heard=5.0), said("丙", 2.0))
    assert [(token.text, token.start) for token in result.tokens] == [("甲", 0.0), ("乙", 9.0), ("丙", 15.0)]
    assert seen == [(20.0, Request(None)), (12.0, Request("zh")), (7.0, Request("zh"))]


def test_little_after_the_text_is_not_run(recognize: Callable[..., tuple[Hypothesis, list]]) -> None:
    _, seen = recognize(said("甲", 0.0, heard=19.3))
    assert len(seen) == 1


def test_a_model_that_does_not_come_on_is_left_with_a_warning(
    recognize: Callable[..., tuple[Hypothesis, list]],
) -> None:
    result, seen = recognize(said("甲", 0.0, heard=8.0), said("乙", 0.0, heard=0.0))
    assert len(seen) == 2
    assert result.warning == "the model stopped before the end of the speech"


def test_a_doubtful_result_is_tried_again_once(recognize: Callable[..., tuple[Hypothesis, list]]) -> None:
    doubtful = Hypothesis((Token("甲甲甲", 0.0, 1.0, 0.6),), "zh", {"zh": 0.9}, retry=True, warning="doubtful")
    result, seen = recognize(doubtful, said("甲", 0.0, warning="the text repeats itself"))
    assert [request for _, request in seen] == [Request(None), Request("zh", attempt=1)]
    assert (result.tokens[0].text, result.warning) == ("甲", "the text repeats itself")
    assert result.languages == {"zh": 0.9}


def test_the_first_attempt_is_kept_if_the_second_is_worse(
    recognize: Callable[..., tuple[Hypothesis, list]],
) -> None:
    result, seen = recognize(
        said("甲甲甲", 0.0, retry=True, warning="doubtful"), Hypothesis((Token("乙", 0.0, 1.0, 0.4),), "zh")
    )
    assert len(seen) == 2
    assert (result.tokens[0].text, result.warning) == ("甲甲甲", "doubtful")


def test_the_runs_over_a_window_are_bounded(recognize: Callable[..., tuple[Hypothesis, list]]) -> None:
    result, seen = recognize(*[said("甲", 0.0, heard=1.5)] * (MAX_RESTS + 1), seconds=30.0)
    assert len(seen) == MAX_RESTS + 1
    assert result.warning == "the model stopped before the end of the speech"


def test_speech_without_words_is_run_again_and_counted(
    recognize: Callable[..., tuple[Hypothesis, list]],
) -> None:
    timings = StageTimings()
    words = Hypothesis(tuple(Token("乙", at, at + 0.8, 0.9) for at in range(14)), "zh")
    result, seen = recognize(said("甲", 0.0), words, seconds=15.0, padding=0.3, timings=timings)
    assert seen == [(15.0, Request(None)), (14.0, Request("zh"))]
    assert [token.text for token in result.tokens] == ["甲", *"乙" * 14]
    assert timings.extra_runs == {"hole": 1}


def test_a_stop_is_reported_as_the_hole_that_it_leaves(
    recognize: Callable[..., tuple[Hypothesis, list]],
) -> None:
    result, seen = recognize(said("甲", 0.0, heard=1.0), said("乙", 0.0, heard=0.0), said("丙", 0.5), padding=0.3)
    assert len(seen) == 3
    assert result.warning is None


class Meeting(Scripted):
    """Its runs meet: each waits until `count` of them are in progress."""

    def __init__(self, runs: int) -> None:
        super().__init__()
        self._together = threading.Barrier(runs)
        self.threads: set[int] = set()

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        return {"number": np.array([len(samples)])}

    def begin(self, inputs: Arrays) -> Fetch:
        def fetch() -> tuple[Arrays, float]:
            self.threads.add(threading.get_ident())
            self._together.wait(10)
            return inputs, 0.0

        return fetch

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        return said(str(outputs["number"].item()), 0.0)


class Waiting(Meeting):
    """Its runs wait until it is closed."""

    def __init__(self) -> None:
        super().__init__(1)
        self.closed, self.begun, self.ended = threading.Event(), threading.Event(), 0

    def begin(self, inputs: Arrays) -> Fetch:
        def fetch() -> tuple[Arrays, float]:
            self.begun.set()
            self.ended += self.closed.wait(10)
            return inputs, 0.0

        return fetch

    def close(self) -> None:
        self.closed.set()


def test_a_run_that_is_given_up_ends_what_is_under_way_and_drops_the_rest() -> None:
    waiting = Waiting()
    runner = LocalGraphRunner(waiting, 2)  # type: ignore[arg-type]

    async def give_up() -> None:
        async def run() -> None:
            async with runner.run({}):
                raise AssertionError

        tasks = [asyncio.create_task(run()) for _ in range(5)]
        while not waiting.begun.is_set():
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(give_up())
    runner.close()
    assert 1 <= waiting.ended <= 2


class Counting(Meeting):
    """Counts the runs of its windows: all that have begun wait until they may end."""

    def __init__(self, *, is_crowded: bool) -> None:
        super().__init__(1)
        self.is_crowded = is_crowded
        self.begun, self.most = 0, 0

    @asynccontextmanager
    async def run(self, inputs: Arrays) -> AsyncIterator[RunResult]:
        self.begun += 1
        self.most = max(self.most, self.begun)
        for _ in range(100):
            await asyncio.sleep(0)
        yield RunResult(inputs, 0.0, "none")
        self.begun -= 1


@pytest.mark.parametrize(("is_crowded", "most"), [(True, 4), (False, 10)])
def test_windows_that_would_only_queue_are_not_prepared(is_crowded: bool, most: int) -> None:
    counting = Counting(is_crowded=is_crowded)
    model = Model("m", "f", None, None, "float32", "", "")  # type: ignore[arg-type]
    runner = WindowRunner(model, counting, counting, "none", concurrent_windows(8))
    windows = [Window(np.zeros(n, np.float32), (Bounds(0, n),)) for n in range(1, 30)]

    async def texts() -> list[str]:
        return [
            hypothesis.tokens[0].text async for _, hypothesis in runner.recognize_all(windows, None, StageTimings())
        ]

    assert asyncio.run(texts()) == [str(number) for number in range(1, 30)]
    assert counting.most == most


@pytest.mark.parametrize("runs", [1, 3])
def test_windows_of_a_recording_run_side_by_side_and_come_in_order(runs: int) -> None:
    meeting = Meeting(runs)
    graph_runner = LocalGraphRunner(meeting, runs)  # type: ignore[arg-type]
    model = Model("m", "f", None, None, "float32", "", "")  # type: ignore[arg-type]
    runner = WindowRunner(model, meeting, graph_runner, "none", concurrent_windows(runs))
    windows = [Window(np.zeros(n, np.float32), (Bounds(0, n),)) for n in range(1, 10)]

    async def texts() -> list[str]:
        return [
            hypothesis.tokens[0].text async for _, hypothesis in runner.recognize_all(windows, None, StageTimings())
        ]

    assert asyncio.run(texts()) == list("123456789")
    assert (meeting.threads == {threading.get_ident()}) == (runs == 1)  # NPUs want the thread that opened them
    runner.close()
