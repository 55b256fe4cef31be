"""A lane of a worker: a job is done when its files are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path

from funasr_cli.errors import OutputError
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pool.client import CoordinatorClient
from funasr_cli.pool.protocol import JobAssigned, JobDone, JobFailed, JobRequest, OutputsReady, WriteOutputs
from funasr_cli.pool.shared_memory import ProgressBoard, Slots
from funasr_cli.pool.worker import Lane, LaneMarker
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import OutputWrite
from funasr_cli.transcript import Paragraph, Segment, Token, Transcript

SETTINGS = Settings(formats=("txt",))


class Transcribing:
    """Takes whatever it is given for a word."""

    async def recognize(
        self, path: Path, tell: Callable[[float, float, float | None], object], timings: StageTimings
    ) -> bytes:
        return b"recognised"

    def compose(self, recognition: bytes, name: str) -> Transcript:
        assert recognition == b"recognised"
        segment = Segment(0.0, 1.0, (Token("word", 0.0, 1.0, 0.9),))
        return Transcript(name, 1.0, 1.0, "en", "m", "d0", "cpu", (segment,), (Paragraph(0.0, "word"),), ())


def answers(tmp_path: Path, output: Path) -> list[object]:
    """What a lane says of one recording, whose text is to be written to `output`, until it asks for the next."""
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"sound")
    here, there = Pipe()
    slots, board = Slots(1), ProgressBoard(1)

    async def play() -> list[object]:
        client = CoordinatorClient(there, slots, lanes=1)
        lane = Lane(0, client, LaneMarker(board, 0), Transcribing(), SETTINGS)  # type: ignore[arg-type]
        serving = asyncio.create_task(lane.serve())
        said: list[object] = []
        while len([message for message in said if message == JobRequest(0)]) < 2:
            while not here.poll():
                await asyncio.sleep(0.001)
            said.append(here.recv())
            if said == [JobRequest(0)]:
                here.send(JobAssigned(0, 7, recording, "a.wav"))
            elif isinstance(ready := said[-1], OutputsReady):
                write = OutputWrite(b"a.txt", output, "txt", None, ready.hashes["txt"], output.with_name(".tmp"))
                here.send(WriteOutputs(ready.job, [write]))
        serving.cancel()
        return said[1:-1]

    try:
        return asyncio.run(asyncio.wait_for(play(), 30))
    finally:
        for end in (here, there):
            end.close()
        slots.close()
        board.close()


def test_a_job_is_done_when_its_outputs_are_written(tmp_path: Path) -> None:
    ready, done = answers(tmp_path, tmp_path / "out" / "a.txt")
    assert isinstance(ready, OutputsReady)
    assert ready.content.sha256 is not None
    assert ready.recognition == b"recognised"
    assert done == JobDone(7)
    assert (tmp_path / "out" / "a.txt").read_text() == "word\n"


def test_a_job_whose_outputs_cannot_be_written_is_never_said_to_be_done(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    _, failed = answers(tmp_path, tmp_path / "out" / "a.txt")
    assert isinstance(failed, JobFailed)
    assert isinstance(failed.error, OutputError)
