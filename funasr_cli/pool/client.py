"""A worker's end of its pipe to the parent, the only place where it waits: for a slot, a result, or a job."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from funasr_cli.arrays import Arrays
from funasr_cli.pipeline.window_runner import RunResult
from funasr_cli.pool.protocol import (
    FromWorker,
    JobAssigned,
    JobRequest,
    OutputsReady,
    RunWindow,
    SlotGranted,
    SlotReleased,
    SlotRequest,
    ToWorker,
    WindowDone,
    WindowFailed,
    WriteOutputs,
)
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.store.entries import OutputWrite
from funasr_cli.system.process import RemoteTraceback

Answer = TypeVar("Answer")


class CoordinatorClient:
    """Requests to the parent as coroutines. Must be created and used in a running event loop."""

    def __init__(self, pipe: Connection, slots: Slots, lanes: int) -> None:
        self._pipe = pipe
        self._lanes = lanes
        self._slots = slots
        self._turn = asyncio.Lock()
        self._waiting = 0  # windows, for a slot
        self._grants: deque[asyncio.Future[int]] = deque()
        self._runs: dict[int, asyncio.Future[WindowDone]] = {}
        self._jobs: dict[int, asyncio.Future[JobAssigned]] = {}
        self._writes: dict[int, asyncio.Future[Sequence[OutputWrite] | None]] = {}
        asyncio.get_running_loop().add_reader(pipe.fileno(), self._receive)

    @property
    def is_crowded(self) -> bool:
        """Whether more windows wait for a slot than one per lane, which is normal."""
        return self._waiting > self._lanes

    def send(self, message: FromWorker) -> None:
        """Send a message that has no answer."""
        try:
            self._pipe.send(message)
        except OSError:
            _leave()

    async def job(self, lane: int) -> JobAssigned:
        """Wait for the next job of a lane."""
        self._jobs[lane] = _future()
        self.send(JobRequest(lane))
        return await self._jobs[lane]

    async def places(self, rendered: OutputsReady) -> Sequence[OutputWrite] | None:
        """Ask where to write a job's outputs; None: nowhere."""
        self._writes[rendered.job] = _future()
        self.send(rendered)
        return await self._writes[rendered.job]

    @asynccontextmanager
    async def run(self, inputs: Arrays) -> AsyncIterator[RunResult]:
        """Run a window; its outputs are in shared memory until the context ends."""
        self._waiting += 1
        try:
            async with self._turn:  # one request at a time, so that workers get their slots in turn
                slot = await self._granted()
        finally:
            self._waiting -= 1
        try:
            self._slots.write_inputs(slot, inputs)
        except ValueError:
            self.send(SlotReleased(slot))
            raise
        ran = await self._ran(slot)
        try:
            yield RunResult(self._slots.outputs(slot), ran.seconds, ran.device)
        finally:
            self.send(SlotReleased(slot))

    async def _granted(self) -> int:
        waiting: asyncio.Future[int] = _future()
        self._grants.append(waiting)
        self.send(SlotRequest())
        try:
            return await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():  # the grant arrived at the last moment
                self.send(SlotReleased(waiting.result()))
            raise

    async def _ran(self, slot: int) -> WindowDone:
        waiting: asyncio.Future[WindowDone] = _future()
        self._runs[slot] = waiting
        self.send(RunWindow(slot))
        try:
            return await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled() and waiting.exception() is None:
                self.send(SlotReleased(slot))
            raise

    def _receive(self) -> None:
        try:
            while self._pipe.poll():
                self._sort(self._pipe.recv())
        except (EOFError, OSError):
            _leave()
        except Exception:  # the event loop would ignore it, and the job would wait forever
            traceback.print_exc()
            os._exit(1)

    def _sort(self, message: ToWorker) -> None:
        match message:
            case SlotGranted(slot):
                self._settle(self._grants.popleft(), slot, slot)
            case WindowDone(slot):
                self._settle(self._runs.pop(slot), message, slot)
            case WindowFailed(slot, error, trace):
                self.send(SlotReleased(slot))
                waiting = self._runs.pop(slot)
                if not waiting.done():
                    waiting.set_exception(RemoteTraceback.attached(error, trace))
            case JobAssigned(lane):
                self._jobs.pop(lane).set_result(message)
            case WriteOutputs(job, writes):
                self._writes.pop(job).set_result(writes)

    def _settle(self, future: asyncio.Future[Answer], answer: Answer, slot: int) -> None:
        """Resolve `future` with the answer, or release the slot if nobody waits for it any more."""
        if future.done():
            self.send(SlotReleased(slot))
        else:
            future.set_result(answer)


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _leave() -> None:
    """Exit at once: the parent is gone, and the work in progress is no longer needed."""
    os._exit(0)
