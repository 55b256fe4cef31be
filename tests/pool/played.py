"""A pool whose children are played: all of the parent is real, its store and its pipes, but nobody else is a process.

What each child does when it is told something is in the test's hands, and happens between two looks of the coordinator
at its pipes. So everything is in one thread, and in the same order every time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from funasr_cli.executors.placement import Placement
from funasr_cli.inputs.scan import scan
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import GraphInfo
from funasr_cli.pool import coordinator as coordinator_module
from funasr_cli.pool import pool as pool_module
from funasr_cli.pool.coordinator import Coordinator
from funasr_cli.pool.pool import open_pool
from funasr_cli.pool.process_handles import DeviceHandle, WorkerHandle
from funasr_cli.pool.protocol import (
    DeviceReady,
    JobAssigned,
    JobDone,
    JobFailed,
    JobRequest,
    OutputsReady,
    RunWindow,
    SlotGranted,
    SlotReleased,
    SlotRequest,
    WindowDone,
    WindowFailed,
    WriteOutputs,
)
from funasr_cli.pool.shared_memory import ProgressBoard, Slots
from funasr_cli.pool.sizing import PoolSize
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.transcription import Settings
from funasr_cli.store import writer as writer_module
from funasr_cli.store.entries import InputContent, TranscriptSummary
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
from funasr_cli.store.output_files import hashes_of, write_outputs
from funasr_cli.store.planner import PlanRules
from funasr_cli.store.sinks import FileSink
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.process import ChildProcess

GRAPH = GraphInfo("cpu (int8)", (), (), {})
SUMMARY = TranscriptSummary(1.0, 1.0, "zh", "cpu (int8)", (), empty=False)
SETTINGS = Settings(formats=("txt",))
MODEL = Model("m", "sensevoice", Path(), Path("model.onnx"), "float32", "", "")

MAX_LOOKS = 3000
"""At a hundredth of a second each, if there is nothing to be heard."""


@dataclass
class Child:
    """A child process as the parent sees it; `end` is what the child has of the pipe."""

    code: int | None = None
    killed: bool = False
    joined: bool = False
    granted: float = 0.0
    """How many seconds it was given to end."""

    def __post_init__(self) -> None:
        self.pipe, self.end = Pipe()

    def send(self, message: object) -> None:
        with suppress(OSError):
            self.pipe.send(message)

    def kill(self) -> None:
        self.killed = True
        self.die(-9)

    def join(self, within: float = 5.0) -> int | None:
        assert self.end.closed or self.killed or not self.joined
        self.joined, self.granted = True, within
        self.pipe.close()
        return self.code

    def die(self, code: int | None) -> None:
        if not self.end.closed:
            self.code = code
            self.end.close()

    @property
    def alive(self) -> bool:
        return not self.end.closed

    def heard(self) -> Iterator[Any]:
        """What it was sent, as long as it lives."""
        while self.alive and not self.pipe.closed and self.end.poll():
            yield self.end.recv()


@dataclass(eq=False)
class PlayedDevice:
    """Says that it is ready, and runs what it is given."""

    child: Child
    placement: Placement
    slots: Slots
    failures: int = 0
    ready: bool = False
    heard: list[int] = field(default_factory=list)

    def act(self) -> None:
        if not self.ready:
            self.ready = True
            self.child.end.send(DeviceReady(GRAPH, 15.0))
        for order in self.child.heard():
            self.heard.append(order.slot)
            self.run(order.slot)

    def run(self, slot: int) -> None:
        self.slots.write_outputs(slot, {"x": self.slots.inputs(slot)["x"] * 2})
        self.child.end.send(WindowDone(slot, 0.5, "cpu (int8)"))


@dataclass(eq=False)
class PlayedWorker:
    """Does what it is told to: a job consists of one window, whose only number is that of the job."""

    child: Child
    row: int
    slots: Slots
    board: ProgressBoard
    windows: int
    node: int | None
    graphs: list[GraphInfo] = field(default_factory=list)
    jobs: list[JobAssigned] = field(default_factory=list)
    waiting: list[JobAssigned] = field(default_factory=list)
    running: dict[int, JobAssigned] = field(default_factory=dict)

    def act(self) -> None:
        for message in self.child.heard():
            self.hear(message)

    def say(self, message: object) -> None:
        self.child.end.send(message)

    def hear(self, message: object) -> None:
        match message:
            case GraphInfo():
                self.graphs.append(message)
                for lane in range(2):
                    self.say(JobRequest(lane))
            case JobAssigned():
                self.jobs.append(message)
                self.board.put(self.row + message.lane, message.job, 1.0, 1.0, 0.5)
                self.waiting.append(message)
                self.say(SlotRequest())
            case SlotGranted(slot):
                self.running[slot] = job = self.waiting.pop(0)
                self.slots.write_inputs(slot, {"x": np.array([job.job])})
                self.say(RunWindow(slot))
            case WindowDone(slot):
                job = self.running.pop(slot)
                assert self.slots.outputs(slot)["x"].tolist() == [2 * job.job]
                self.say(SlotReleased(slot))
                self.say(outputs_ready(job))
            case WindowFailed(slot, error):
                self.say(SlotReleased(slot))
                self.failed(self.running.pop(slot), error)
            case WriteOutputs(number, writes):
                job = next(job for job in self.jobs if job.job == number)
                if writes is not None:
                    write_outputs(writes, contents_of(job))
                    self.say(JobDone(number))
                self.say(JobRequest(job.lane))

    def failed(self, job: JobAssigned, error: Any) -> None:
        self.say(JobFailed(job.job, error, InputContent.of(job.path), {}))
        self.say(JobRequest(job.lane))


def contents_of(job: JobAssigned) -> dict[str, bytes]:
    return {"txt": job.path.stem.encode()}


def outputs_ready(job: JobAssigned) -> OutputsReady:
    return OutputsReady(job.job, SUMMARY, InputContent.of(job.path), hashes_of(contents_of(job)), {})


@dataclass
class HandClock:
    """A clock that goes on by `step` seconds at each look."""

    now: float = 0.0
    step: float = 0.2

    def advance(self) -> bool:
        self.now += self.step
        return True


@dataclass
class PlayedPool:
    """A pool, whoever plays its children, and what becomes of the recordings."""

    coordinator: Coordinator
    sinks: list[FileSink]
    outputs: Path
    stats: RunStats
    shown: io.StringIO
    clock: HandClock
    devices: list[PlayedDevice] = field(default_factory=list)
    workers: list[PlayedWorker] = field(default_factory=list)
    scripts: list[Callable[[], None]] = field(default_factory=list)
    looks: int = 0

    def look(self) -> None:
        """What happens between two looks of the coordinator: first what the test wants, then what children do."""
        self.looks += 1
        assert self.looks < MAX_LOOKS, "the run does not come to an end"
        for script in list(self.scripts):
            script()
        for one in [*self.devices, *self.workers]:
            if one.child.alive:
                one.act()

    def once(self, when: Callable[[], bool], then: Callable[[], object]) -> None:
        """Have something done the first time that something is the case."""

        def script() -> None:
            if when():
                self.scripts.remove(script)
                then()

        self.scripts.append(script)

    def run(self, deadline: str | None = None, max_files: int | None = None) -> None:
        self.coordinator.wait_until_ready()
        self.coordinator.run(self.sinks, Deadline(deadline), max_files)

    def texts(self) -> dict[str, str]:
        return {path.stem: path.read_text(encoding="utf-8") for path in sorted(self.outputs.glob("*.txt"))}

    def as_it_should_be(self) -> bool:
        """Whether each recording has its own text."""
        names = [sink.source.path.stem for sink in self.sinks]
        return self.texts() == {name: name for name in names} and self.stats.done == len(names)


Opened = Callable[..., PlayedPool]


@contextmanager
def played_pool(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    recordings: int = 5,
    workers: int = 2,
    placements: tuple[Placement, ...] = (Placement(1, runs=2),),
    debug: bool = False,
) -> Iterator[PlayedPool]:
    """Open a pool for recordings, of which the first is the smallest."""
    for number in range(recordings):
        path = folder / "in" / f"{chr(ord('a') + number)}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes([number]) * (100 + number))
    clock, stats, shown = HandClock(), RunStats(), io.StringIO()
    pool: PlayedPool | None = None
    devices: list[PlayedDevice] = []
    crew: list[PlayedWorker] = []

    def start_device(slots: Slots, _: Model, placement: Placement, now: float, failures: int = 0) -> DeviceHandle:
        devices.append(PlayedDevice(Child(), placement, slots, failures))
        return DeviceHandle(cast(ChildProcess, devices[-1].child), placement, now, failures=failures)

    def start_worker(
        row: int, slots: Slots, board: ProgressBoard, _: Model, __: Settings, node: int | None, windows: int
    ) -> WorkerHandle:
        crew.append(PlayedWorker(Child(), row, slots, board, windows, node))
        return WorkerHandle(cast(ChildProcess, crew[-1].child), row)

    monkeypatch.setattr(DeviceHandle, "start", start_device)
    monkeypatch.setattr(WorkerHandle, "start", start_worker)
    monkeypatch.setattr(pool_module, "ActiveClock", lambda _: clock)
    monkeypatch.setattr(coordinator_module, "out_of_memory_kills", lambda: 0)
    monkeypatch.setattr(coordinator_module, "TICK_S", 0.01)  # nobody but the thread of the store takes any time
    monkeypatch.setattr(writer_module, "GROUP_WAIT_S", 0.0)
    with ExitStack() as opened:
        store = opened.enter_context(open_store(folder / "out", beside=False, wait=False, tell=print))
        jobs = store.jobs(scan([str(folder / "in")], None).sources, PlanRules("{}", ("txt",)))
        sinks = [FileSink(store, job, SETTINGS, RunInfo("m", "", "cpu", "tests", "{}")) for job in jobs]
        coordinator = opened.enter_context(
            open_pool(
                PoolSize(workers, placements),
                store,
                MODEL,
                SETTINGS,
                Reporter(Display(shown), stats),
                lambda: pool.look() if pool else None,
                window_timeout=300.0,
                debug=debug,
            )
        )
        pool = PlayedPool(coordinator, sinks, folder / "out", stats, shown, clock, devices, crew)
        yield pool
        opened.close()
        assert all(one.child.joined and one.child.pipe.closed for one in [*devices, *crew])
