"""The worker process: everything from the recording to its output files, except running the graph.

It has two recordings open at a time, one from either end of the queue. Their windows take turns, so that a ten-hour
recording does not hold up those of five seconds, but is not left to the end of the night either.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from traceback import format_exc

from funasr_cli.arrays import Arrays
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import GraphInfo, load_recognizer
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.pipeline.window_runner import RunResult, WindowRunner
from funasr_cli.pool.client import CoordinatorClient
from funasr_cli.pool.protocol import JobAssigned, JobDone, JobFailed, OutputsReady
from funasr_cli.pool.shared_memory import ProgressBoard, Slots
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent, TranscriptSummary
from funasr_cli.store.output_files import encode_formats, hashes_of, write_outputs
from funasr_cli.system.numa import pin
from funasr_cli.system.process import init_child
from funasr_cli.system.refusals import as_funasr_error

logger = logging.getLogger(__name__)


def run_worker(
    pipe: Connection,
    slots: Slots,
    board: ProgressBoard,
    rows: Sequence[int],
    model: Model,
    settings: Settings,
    node: int | None,
    windows: int,
) -> None:
    """Do jobs until the pipe closes, in one lane for each of the `rows` on the board.

    Up to `windows` of each recording are in progress at a time.
    """
    init_child("funasr-worker")
    pin(node)
    try:
        graph: GraphInfo = pipe.recv()
    except EOFError:
        return
    recognizer = load_recognizer(model, graph, itn=settings.itn, hotwords=settings.hotwords)

    async def serve() -> None:
        client = CoordinatorClient(pipe, slots, len(rows))
        markers = [LaneMarker(board, row) for row in rows]
        runners = [
            WindowRunner(model, recognizer, MarkingGraphRunner(client, marker), graph.device, windows)
            for marker in markers
        ]
        transcribers = [Transcriber(runner, settings) for runner in runners]
        await asyncio.gather(
            *(
                Lane(number, client, markers[number], transcribers[number], settings).serve()
                for number in range(len(rows))
            )
        )

    asyncio.run(serve())


class LaneMarker:
    """A lane's row on the progress board."""

    def __init__(self, board: ProgressBoard, row: int) -> None:
        self._board = board
        self._row = row
        self._at = (0, 0.0, 0.0, 0.0)

    def begin(self, job: int) -> None:
        """Note that the lane begins a job."""
        self._at = (job, 0.0, 0.0, 0.0)
        self.refresh()

    def move(self, read: float, recognized: float, duration: float | None) -> None:
        """Note the seconds of its job that the lane has read and recognised."""
        self._at = (self._at[0], read, recognized, min(1.0, recognized / duration) if duration else 0.0)
        self.refresh()

    def refresh(self) -> None:
        """Note that this lane is the one the worker is running."""
        self._board.put(self._row, *self._at)


class MarkingGraphRunner:
    """Runs windows in the device process, and notes on the board when their lane continues."""

    def __init__(self, client: CoordinatorClient, marker: LaneMarker) -> None:
        self._client = client
        self._marker = marker

    @property
    def is_crowded(self) -> bool:
        return self._client.is_crowded

    @asynccontextmanager
    async def run(self, inputs: Arrays) -> AsyncIterator[RunResult]:
        async with self._client.run(inputs) as outcome:
            self._marker.refresh()
            yield outcome


class Lane:
    """Does one job after another."""

    def __init__(
        self, number: int, client: CoordinatorClient, marker: LaneMarker, transcriber: Transcriber, settings: Settings
    ) -> None:
        self._number = number
        self._client = client
        self._marker = marker
        self._transcriber = transcriber
        self._settings = settings

    async def serve(self) -> None:
        """Do jobs until the process ends."""
        while True:
            job = await self._client.job(self._number)
            self._marker.begin(job.job)
            await self._do(job)

    async def _do(self, job: JobAssigned) -> None:
        logger.debug("job %d, lane %d: %s", job.job, self._number, job.path)
        timings = StageTimings()
        content = InputContent()
        try:
            content = InputContent.of(job.path)
            recognition = await self._transcriber.recognize(job.path, self._marker.move, timings)
            transcript = self._transcriber.compose(recognition, job.name)
            self._marker.refresh()
            contents = encode_formats(transcript, self._settings)
            summary = TranscriptSummary.of(transcript)
            ready = OutputsReady(job.job, summary, content, hashes_of(contents), timings.seconds, recognition)
            writes = await self._client.places(ready)
            if writes is not None:
                self._marker.refresh()
                write_outputs(writes, contents)
                self._client.send(JobDone(job.job))
        except Exception as error:  # even a bug costs only this recording
            failure = as_funasr_error(error, job.path)
            self._client.send(JobFailed(job.job, failure, content, timings.seconds, format_exc()))
