"""Where the recordings of a run are handed out to workers, and what became of them is taken in."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from funasr_cli.errors import FunasrError, InputError
from funasr_cli.pool.crash_policy import Strikes
from funasr_cli.pool.protocol import Do, Failed, Rendered, WriteTo, Written
from funasr_cli.pool.shared_memory import Whereabouts
from funasr_cli.reporting.reporter import Ledger, located, name_of, place_of
from funasr_cli.store.entries import Content, Write
from funasr_cli.store.sinks import FileDelivery, Seconds
from funasr_cli.store.writer import Clerk
from funasr_cli.system.deadline import Deadline

WorkerT = TypeVar("WorkerT", bound=Hashable)


@dataclass(slots=True)
class Open(Generic[WorkerT]):
    """A job under way: who has it, what it is, whether it is being given a place for its result, the result
    that is being written there, and whether what became of it is settled."""

    worker: WorkerT
    delivery: FileDelivery
    placing: bool = False
    writing: Rendered | None = None
    settled: bool = False


class Desk(Generic[WorkerT]):
    """Knows the jobs that wait, from the shortest to the longest, and those under way."""

    def __init__(
        self, clerk: Clerk, ledger: Ledger, deadline: Deadline, say: Callable[[WorkerT, WriteTo], None]
    ) -> None:
        """`say` answers a worker."""
        self._clerk = clerk
        self._ledger = ledger
        self._deadline = deadline
        self._say = say
        self._waiting: list[FileDelivery] = []
        self._open: dict[int, Open[WorkerT]] = {}
        self._numbers = count(1)
        self._stopping = False
        self._strikes: Strikes[FileDelivery] = Strikes()

    def fill(self, deliveries: Sequence[FileDelivery]) -> None:
        """These are to be done."""
        self._waiting = sorted(deliveries, key=lambda delivery: delivery.size)

    @property
    def through(self) -> bool:
        """Whether nothing is under way and nothing is to be handed out any more."""
        return not self._open and self._closed

    def next(self, worker: WorkerT, lane: int) -> Do | None:
        """The next job for a lane: the longest for lane 0, the shortest for others. None where there is none."""
        if self._closed:
            return None
        delivery = self._waiting.pop(-1 if lane == 0 else 0)
        self._clerk.submit(delivery.start, lambda _: None)
        number = next(self._numbers)
        self._open[number] = Open(worker, delivery)
        return Do(lane, number, delivery.source.path, name_of(delivery))

    def rendered(self, message: Rendered) -> None:
        """A worker asks where to write a result."""
        if self._stopping:
            return
        self._open[message.job].placing = True
        delivery = self._open[message.job].delivery
        self._clerk.submit(
            lambda: delivery.place(message.content, message.hashes),
            lambda writes: self._placed(message, writes),
            urgent=True,  # the worker waits for it
        )

    def _placed(self, message: Rendered, outcome: Future[list[Write]]) -> None:
        job = self._open.get(message.job)
        if job is None or job.settled or self._stopping:
            return  # its worker has died meanwhile
        job.placing = False
        try:
            writes = outcome.result()
        except FunasrError as error:
            self._say(job.worker, WriteTo(message.job, None))
            self._fail(message.job, error, message.content, message.seconds)
        else:
            job.writing = message
            self._say(job.worker, WriteTo(message.job, writes))

    def written(self, message: Written) -> None:
        """A worker has written a result."""
        job = self._open[message.job]
        assert job.writing is not None
        job.settled = True
        result, delivery = job.writing, job.delivery

        def finished(warnings: Future[list[str]]) -> None:
            del self._open[message.job]
            self._ledger.done(delivery, result.summary, warnings.result())

        self._clerk.submit(lambda: delivery.finish(result.summary, result.content, result.seconds), finished)

    def failed(self, message: Failed) -> None:
        """A worker says that there is no result."""
        self._fail(message.job, message.error, message.content, message.seconds)

    def lost(self, worker: WorkerT, where: Whereabouts, how: str, *, at_fault: bool) -> None:
        """A worker died. What it had is done again; but not what workers die of."""
        for number in [n for n, job in self._open.items() if job.worker == worker and not job.settled]:
            delivery = self._open[number].delivery
            delivery.abandon()
            if number == where.job and self._strikes.out(delivery, where.seconds, at_fault=at_fault):
                what = f"the process that read it died again, at {where.seconds:.0f} s of it: {how}"
                hint = "It may be damaged, or need more memory than there is."
                self._fail(number, InputError(what, where=delivery.source.path, hint=hint), Content(), {})
            else:
                del self._open[number]
                self._ledger.display.warn(f"{place_of(delivery)} is begun again: its process was lost ({how})")
                insort(self._waiting, delivery, key=lambda delivery: delivery.size)

    def expects(self, worker: WorkerT) -> bool:
        """Whether the worker has jobs under way, and is not waiting for this desk."""
        jobs = [job for job in self._open.values() if job.worker == worker]
        return bool(jobs) and not any(job.placing for job in jobs)

    def stop(self) -> None:
        """Nothing new is begun or written any more."""
        self._stopping = True

    @property
    def _closed(self) -> bool:
        return self._stopping or not self._waiting or self._deadline.passed

    @property
    def writing(self) -> bool:
        """Whether results are just being written."""
        return any(job.writing or job.settled for job in self._open.values())

    def show(self, places: Iterable[Whereabouts]) -> None:
        """Tell how far the jobs under way are."""
        audio = work = 0.0
        current = ""
        for where in places:
            if where.job in self._open and not self._open[where.job].settled:
                audio += where.seconds
                work += where.share * self._open[where.job].delivery.size
                current = current or name_of(self._open[where.job].delivery)
        self._ledger.moved(current, audio, work)

    @property
    def left(self) -> int:
        """Recordings that were not done, with those that were begun and given up."""
        return len(self._waiting) + len(self._open)

    def drop(self) -> None:
        """The run ends here: what is half written is removed."""
        for job in self._open.values():
            if not job.settled:
                job.delivery.abandon()

    def _fail(self, number: int, error: FunasrError, content: Content, seconds: Seconds) -> None:
        job = self._open[number]
        job.settled = True
        delivery = job.delivery
        located(delivery, error)

        def failed(_: Future[None]) -> None:
            del self._open[number]
            self._ledger.failed(delivery, error)

        self._clerk.submit(lambda: delivery.fail(error, content, seconds), failed)
