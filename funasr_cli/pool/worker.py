"""The worker process: from recordings to files, all but the run of the graph.

It has two recordings open at a time, one from either end of the queue. Their windows take turns, so that a recording
of ten hours does not hold up those of five seconds, and has not been left to the end when the night is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

from funasr_cli.arrays import Arrays
from funasr_cli.errors import FunasrError, as_input_error
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import Graph, load_recognizer
from funasr_cli.pipeline.timings import Stopwatch
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.pipeline.window_runner import Engine, Outcome
from funasr_cli.pool.client import Link
from funasr_cli.pool.protocol import Do, Failed, Rendered, Written
from funasr_cli.pool.shared_memory import Board, Slots
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import Content
from funasr_cli.store.output_store import put_in_place
from funasr_cli.store.sinks import Summary, hashes_of, render
from funasr_cli.system.numa import pin
from funasr_cli.system.process import settle_in


def work(
    pipe: Connection,
    slots: Slots,
    board: Board,
    rows: Sequence[int],
    model: Model,
    settings: Settings,
    node: int | None,
) -> None:
    """Do jobs until the pipe closes, in as many lanes as there are `rows` for them on the board."""
    settle_in("funasr-worker")
    pin(node)
    try:
        graph: Graph = pipe.recv()
    except EOFError:
        return
    recognizer = load_recognizer(model, graph, itn=settings.itn, hotwords=settings.hotwords)

    async def serve() -> None:
        link = Link(pipe, slots)
        marks = [Mark(board, row) for row in rows]
        engines = [Engine(model, recognizer, MarkingRunner(link, mark), graph.device) for mark in marks]
        transcribers = [Transcriber(engine, settings) for engine in engines]
        await asyncio.gather(
            *(Lane(number, link, marks[number], transcribers[number], settings).serve() for number in range(len(rows)))
        )

    asyncio.run(serve())


class Mark:
    """A lane's line on the board."""

    def __init__(self, board: Board, row: int) -> None:
        self._board = board
        self._row = row
        self._at = (0, 0.0, 0.0)

    def begin(self, job: int) -> None:
        """The lane is at the beginning of a job."""
        self._at = (job, 0.0, 0.0)
        self.refresh()

    def move(self, seconds: float, duration: float | None) -> None:
        """The lane has read so much of its job."""
        self._at = (self._at[0], seconds, min(1.0, seconds / duration) if duration else 0.0)
        self.refresh()

    def refresh(self) -> None:
        """The lane, and not another, is what the worker is at."""
        self._board.put(self._row, *self._at)


class MarkingRunner:
    """Runs windows in the device process, and notes on the board when their lane goes on."""

    def __init__(self, link: Link, mark: Mark) -> None:
        self._link = link
        self._mark = mark

    @asynccontextmanager
    async def run(self, inputs: Arrays) -> AsyncIterator[Outcome]:
        async with self._link.run(inputs) as outcome:
            self._mark.refresh()
            yield outcome


class Lane:
    """Does one job after another."""

    def __init__(self, number: int, link: Link, mark: Mark, transcriber: Transcriber, settings: Settings) -> None:
        self._number = number
        self._link = link
        self._mark = mark
        self._transcriber = transcriber
        self._settings = settings

    async def serve(self) -> None:
        """Until the process ends."""
        while True:
            job = await self._link.job(self._number)
            self._mark.begin(job.job)
            await self._do(job)

    async def _do(self, job: Do) -> None:
        watch = Stopwatch()
        content = Content()
        try:
            content = Content.of(job.path)
            transcript = await self._transcriber.transcribe(job.path, job.name, self._mark.move, watch)
            self._mark.refresh()
            contents = render(transcript, self._settings)
            rendered = Rendered(job.job, Summary.of(transcript), content, hashes_of(contents), watch.seconds)
            writes = await self._link.places(rendered)
            if writes is not None:
                self._mark.refresh()
                put_in_place(writes, contents)
                self._link.say(Written(job.job))
        except FunasrError as error:
            self._link.say(Failed(job.job, error, content, watch.seconds))
        except Exception as error:  # a defect, but it need not cost the rest of the night
            self._link.say(Failed(job.job, as_input_error(error, job.path), content, watch.seconds))
