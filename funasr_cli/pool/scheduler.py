"""Scheduler: assigns recordings to workers, and settles their results."""

from __future__ import annotations

import logging
from bisect import insort
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from funasr_cli.errors import FunasrError, InputError
from funasr_cli.pool.crash_policy import CrashPolicy
from funasr_cli.pool.protocol import JobAssigned, JobDone, JobFailed, OutputsReady, WriteOutputs
from funasr_cli.pool.shared_memory import LaneProgress
from funasr_cli.reporting.reporter import Reporter, display_path, name_of, with_location
from funasr_cli.store.entries import InputContent, OutputWrite
from funasr_cli.store.manifest import Seconds
from funasr_cli.store.sinks import FileSink
from funasr_cli.store.writer import StoreWriter
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.places import current_folder_fault

logger = logging.getLogger(__name__)

WorkerT = TypeVar("WorkerT", bound=Hashable)


@dataclass(slots=True)
class ActiveJob(Generic[WorkerT]):
    """A job in progress.

    `placing` is true while the places of its outputs are looked up; `writing` is the result that is being written to
    them. `settled` means that success or failure is decided.
    """

    worker: WorkerT
    sink: FileSink
    placing: bool = False
    writing: OutputsReady | None = None
    settled: bool = False


class Scheduler(Generic[WorkerT]):
    """Tracks waiting jobs, from the smallest file to the largest, and those in progress."""

    def __init__(
        self, writer: StoreWriter, reporter: Reporter, deadline: Deadline, send: Callable[[WorkerT, WriteOutputs], None]
    ) -> None:
        """`send` sends an answer to a worker."""
        self._writer = writer
        self._reporter = reporter
        self._deadline = deadline
        self._send = send
        self._waiting: list[FileSink] = []
        self._open: dict[int, ActiveJob[WorkerT]] = {}
        self._numbers = count(1)
        self._stopping = False
        self._crashes: CrashPolicy[FileSink] = CrashPolicy()

    def submit(self, sinks: Sequence[FileSink]) -> None:
        """Set the recordings to transcribe."""
        self._waiting = sorted(sinks, key=lambda sink: sink.size)

    @property
    def finished(self) -> bool:
        """Whether nothing is in progress and nothing more will be assigned."""
        return not self._open and self._is_closed

    def next_job(self, worker: WorkerT, lane: int) -> JobAssigned | None:
        """The next job for a lane: the largest file for lane 0, the smallest for others. None if there is none."""
        if self._is_closed:
            return None
        sink = self._waiting.pop(-1 if lane == 0 else 0)
        self._writer.submit(sink.start, lambda _: None)
        number = next(self._numbers)
        self._open[number] = ActiveJob(worker, sink)
        logger.debug("job %d for lane %d, %d bytes: %s", number, lane, sink.size, sink.source.path)
        is_gone = not sink.source.is_stdin and current_folder_fault()  # then workers run elsewhere
        return JobAssigned(lane, number, sink.source.identity if is_gone else sink.source.path, name_of(sink))

    def outputs_ready(self, message: OutputsReady) -> None:
        """Look up where a worker is to write a result, and answer it."""
        if self._stopping:
            return
        self._open[message.job].placing = True
        sink = self._open[message.job].sink
        self._writer.submit(
            lambda: sink.place(message.content, message.hashes),
            lambda writes: self._placed(message, writes),
            urgent=True,  # the worker waits for it
        )

    def _placed(self, message: OutputsReady, outcome: Future[list[OutputWrite]]) -> None:
        job = self._open.get(message.job)
        if job is None or job.settled or self._stopping:
            return  # its worker has died in the meantime
        job.placing = False
        try:
            writes = outcome.result()
        except FunasrError as error:
            self._send(job.worker, WriteOutputs(message.job, None))
            self._fail(message.job, error, message.content, message.seconds)
        else:
            job.writing = message
            self._send(job.worker, WriteOutputs(message.job, writes))

    def job_done(self, message: JobDone) -> None:
        """Record a result that a worker has written."""
        job = self._open[message.job]
        assert job.writing is not None
        job.settled = True
        result, sink = job.writing, job.sink

        def finished(warnings: Future[list[str]]) -> None:
            del self._open[message.job]
            self._reporter.done(sink, result.summary, warnings.result())

        self._writer.submit(
            lambda: sink.finish(result.summary, result.content, result.seconds, result.recognition), finished
        )

    def job_failed(self, message: JobFailed) -> None:
        """Record a failure reported by a worker."""
        self._fail(message.job, message.error, message.content, message.seconds)

    def worker_lost(self, worker: WorkerT, where: LaneProgress, how: str, *, own_fault: bool) -> None:
        """Queue the jobs of a dead worker again, except for a recording over which workers keep dying, which fails."""
        for number in [n for n, job in self._open.items() if job.worker == worker and not job.settled]:
            sink = self._open[number].sink
            sink.abandon()
            if number == where.job and self._crashes.should_give_up(sink, where.seconds, own_fault=own_fault):
                what = f"the process that read it died again, {where.seconds:.0f} s into the recording: {how}"
                hint = "The file may be damaged, or need more memory than is available."
                self._fail(number, InputError(what, where=sink.source.named, hint=hint), InputContent(), {})
            else:
                del self._open[number]
                self._reporter.display.warn(f"{display_path(sink)} is started again: its process was lost ({how})")
                insort(self._waiting, sink, key=lambda sink: sink.size)

    def is_working(self, worker: WorkerT) -> bool:
        """Whether the worker has jobs in progress and is not waiting for an answer from this process."""
        jobs = [job for job in self._open.values() if job.worker == worker and not job.settled]
        return bool(jobs) and not any(job.placing for job in jobs)

    def stop(self) -> None:
        """Start and write nothing more."""
        self._stopping = True

    @property
    def _is_closed(self) -> bool:
        return self._stopping or not self._waiting or self._deadline.passed

    @property
    def is_writing(self) -> bool:
        """Whether results are being written."""
        return any(job.writing or job.settled for job in self._open.values())

    def report_progress(self, places: Iterable[LaneProgress]) -> None:
        """Report the progress of the jobs."""
        audio = work = 0.0
        current = ""
        for where in places:
            if where.job in self._open and not self._open[where.job].settled:
                audio += where.recognized
                work += where.share * self._open[where.job].sink.size
                current = current or name_of(self._open[where.job].sink)
        self._reporter.moved(current, audio, work)

    @property
    def remaining(self) -> int:
        """The number of recordings that were not finished, including those that were started."""
        return len(self._waiting) + len(self._open)

    def abandon(self) -> None:
        """Remove half-written outputs, because the run ends."""
        for job in self._open.values():
            job.sink.abandon()

    def _fail(self, number: int, error: FunasrError, content: InputContent, seconds: Seconds) -> None:
        job = self._open[number]
        job.settled = True
        sink = job.sink
        with_location(sink, error)

        def failed(_: Future[None]) -> None:
            del self._open[number]
            self._reporter.failed(sink, error)

        self._writer.submit(lambda: sink.fail(error, content, seconds), failed)
