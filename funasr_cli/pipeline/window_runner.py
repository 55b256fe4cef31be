"""Recognises windows with a loaded model, whose graph runs in this process or another one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from funasr_cli.arrays import SAMPLE_RATE, Arrays, Samples
from funasr_cli.audio.windows import Window
from funasr_cli.callbacks import Tell
from funasr_cli.executors.base import Executor
from funasr_cli.executors.placement import Placement
from funasr_cli.hotwords import Hotword
from funasr_cli.models.store import Model
from funasr_cli.pipeline.attempts import better
from funasr_cli.pipeline.registry import load_executor, load_recognizer
from funasr_cli.pipeline.second_look import fill_holes
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.recognizers.base import Hypothesis, Recognizer, Request

MIN_CONCURRENT_WINDOWS = 4
"""Minimum number of windows of a recording under way together, so that no stage waits for another."""

SPARE_WINDOWS = 2
"""Windows of a recording under way in addition to those that run: one being prepared and one being decoded."""

MIN_REST_SAMPLES = SAMPLE_RATE
"""Minimum samples left unheard at the end of a window that are run again: anything shorter is padding and breath, for
which a generative model makes up words."""

MIN_PROGRESS_SAMPLES = SAMPLE_RATE // 5
"""Minimum samples by which each further run over the rest of a window must advance, so that the loop ends."""

STOPPED = "the model stopped before the end of the speech"

MAX_RESTS = 10
"""Limit for runs over the rest of a window. The densest speech reaches the token limit in five to eight seconds."""


class RunResult(NamedTuple):
    """The outputs of a run, its duration in seconds, and its device."""

    outputs: Arrays
    seconds: float
    device: str


class GraphRunner(Protocol):
    """Runs prepared windows."""

    def run(self, inputs: Arrays) -> AbstractAsyncContextManager[RunResult]:
        """Run one window; the outputs are valid within the context."""
        ...

    @property
    def is_crowded(self) -> bool:
        """Whether windows are queueing for the device, so that preparing more would only use memory."""
        ...


class LocalGraphRunner:
    """Runs windows in this process, up to `windows` at a time; if 1, in the calling thread, as an NPU requires."""

    is_crowded = False

    def __init__(self, executor: Executor, windows: int = 1) -> None:
        self.executor = executor
        self._threads = ThreadPoolExecutor(windows) if windows > 1 else None

    @asynccontextmanager
    async def run(self, inputs: Arrays) -> AsyncIterator[RunResult]:
        fetch = self.executor.begin(inputs)
        if self._threads is None:
            outputs, seconds = fetch()
        else:
            outputs, seconds = await asyncio.get_running_loop().run_in_executor(self._threads, fetch)
        yield RunResult(outputs, seconds, self.executor.device)

    def close(self) -> None:
        """Release the graph and drop windows that are waiting."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self.executor.close()
        if self._threads is not None:
            self._threads.shutdown()


@dataclass(frozen=True, slots=True)
class WindowRunner:
    """One model, its recogniser, and the runner of its graph; `device` is the intended device, e.g. `cpu (int8)`.

    Up to `concurrent` windows of a recording are under way together. Each part of a window extends `padding` seconds
    beyond the detected voice at both ends; None: without voice detection, no missing words are searched for.
    """

    model: Model
    recognizer: Recognizer
    graph_runner: GraphRunner
    device: str
    concurrent: int = MIN_CONCURRENT_WINDOWS
    padding: float | None = None

    def close(self) -> None:
        """Release the graph if it runs in this process."""
        if isinstance(self.graph_runner, LocalGraphRunner):
            self.graph_runner.close()

    async def recognize(self, window: Window, language: str | None, timings: StageTimings) -> Hypothesis:
        """Recognise the whole window. Speech for which there are no words is run again on its own."""
        hypothesis = await self._read(window.samples, language, timings)
        if self.padding is None:
            return hypothesis

        async def look(samples: Samples) -> Hypothesis:
            timings.extra_runs["hole"] += 1
            return await self._read(samples, hypothesis.language, timings)

        if hypothesis.warning == STOPPED:  # a hole that remains is reported with its position
            hypothesis = replace(hypothesis, warning=None)
        return await fill_holes(window, hypothesis, self.padding, look)

    async def _read(self, samples: Samples, language: str | None, timings: StageTimings) -> Hypothesis:
        """Recognise the samples; if the model stops early or its text goes astray, run the rest as well."""
        start, pieces = 0, list[Hypothesis]()
        while True:
            piece = await self._attempt(samples[start:], language, timings)
            pieces.append(_shifted(piece, start / SAMPLE_RATE))
            language = piece.language
            if piece.heard is None:
                break
            heard = round(piece.heard * SAMPLE_RATE)
            if len(samples) - start - heard < MIN_REST_SAMPLES:
                break
            if heard < MIN_PROGRESS_SAMPLES or len(pieces) > MAX_RESTS:
                pieces.append(Hypothesis((), language, warning=STOPPED))
                break
            start += heard
            timings.extra_runs["rest"] += 1
        return replace(
            pieces[0],
            tokens=tuple(token for piece in pieces for token in piece.tokens),
            warning=next((piece.warning for piece in pieces if piece.warning), None),
        )

    async def recognize_all(
        self,
        windows: Iterable[Window],
        language: str | None,
        timings: StageTimings,
        done: Callable[[Window], object] = lambda _: None,
    ) -> AsyncGenerator[tuple[Window, Hypothesis], None]:
        """Yield each window with its hypothesis, in order, while the next windows are already under way.

        `done` is called with each window as soon as it has been recognised.
        """

        async def recognize(window: Window) -> Hypothesis:
            hypothesis = await self.recognize(window, language, timings)
            done(window)
            return hypothesis

        under_way: deque[tuple[Window, asyncio.Task[Hypothesis]]] = deque()
        try:
            for window in windows:
                under_way.append((window, asyncio.create_task(recognize(window))))
                await asyncio.sleep(0)  # prepares and submits this window before the next one is read
                while len(under_way) >= self._enough():
                    yield under_way[0][0], await under_way[0][1]
                    under_way.popleft()
            while under_way:
                yield under_way[0][0], await under_way[0][1]
                under_way.popleft()
        finally:
            tasks = [task for _, task in under_way]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _enough(self) -> int:
        return MIN_CONCURRENT_WINDOWS if self.graph_runner.is_crowded else self.concurrent

    async def _attempt(self, samples: Samples, language: str | None, timings: StageTimings) -> Hypothesis:
        """Prepare, run and decode; if the result asks for a retry, try again in its language and keep the better."""
        first = await self._once(samples, Request(language), timings)
        if not first.retry:
            return first
        timings.extra_runs["attempt"] += 1
        second = await self._once(samples, Request(first.language, attempt=1), timings)
        return replace(better(first, second), languages=first.languages)

    async def _once(self, samples: Samples, request: Request, timings: StageTimings) -> Hypothesis:
        with timings.stage("prepare"):
            inputs = self.recognizer.prepare(samples, request)
        async with self.graph_runner.run(inputs) as outcome:
            timings.add("run", outcome.seconds)
            timings.devices[outcome.device] += 1
            with timings.stage("decode"):
                return self.recognizer.decode(outcome.outputs, request)


def _shifted(hypothesis: Hypothesis, seconds: float) -> Hypothesis:
    return replace(hypothesis, tokens=tuple(token.shifted(seconds) for token in hypothesis.tokens))


def load_window_runner(
    model: Model, placement: Placement, *, itn: bool = True, hotwords: Sequence[Hotword] = (), tell: Tell = print
) -> WindowRunner:
    """Load the model with its graph into this process. Raises the errors of `load_executor` and `load_recognizer`."""
    executor, graph = load_executor(model, placement, tell)
    try:
        recognizer = load_recognizer(model, graph, itn=itn, hotwords=hotwords)
    except BaseException:
        executor.close()
        raise
    runner = LocalGraphRunner(executor, placement.windows)
    return WindowRunner(model, recognizer, runner, graph.device, concurrent_windows(placement.windows))


def concurrent_windows(at_device: int) -> int:
    """How many windows of a recording to keep under way if the device takes `at_device` windows at a time."""
    return max(MIN_CONCURRENT_WINDOWS, at_device + SPARE_WINDOWS)
