"""Who gets which recording, and what becomes of it when its worker dies: a real record, workers that only talk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from funasr_cli.errors import InputError
from funasr_cli.inputs.scan import scan
from funasr_cli.pool.protocol import JobAssigned, JobDone, JobFailed, OutputsReady, WriteOutputs
from funasr_cli.pool.scheduler import Scheduler
from funasr_cli.pool.shared_memory import LaneProgress
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent, TranscriptSummary
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.output_store import open_store
from funasr_cli.store.planner import PlanRules
from funasr_cli.store.sinks import FileSink
from funasr_cli.store.writer import StoreWriter
from funasr_cli.system.deadline import Deadline

SUMMARY = TranscriptSummary(1.0, 1.0, "zh", "cpu (int8)", (), empty=False)
SIZES = {"a": 300, "b": 100, "c": 500, "d": 200, "e": 400}


@dataclass
class Stage:
    """A scheduler with its writer, and what was said to workers and users."""

    scheduler: Scheduler[str]
    writer: StoreWriter
    said: list[tuple[str, WriteOutputs]]
    shown: io.StringIO
    stats: RunStats = field(default_factory=RunStats)

    def take(self, worker: str, lane: int) -> JobAssigned:
        job = self.scheduler.next_job(worker, lane)
        assert job is not None
        return job

    def done(self, job: JobAssigned) -> None:
        self.scheduler.outputs_ready(OutputsReady(job.job, SUMMARY, InputContent.of(job.path), {"txt": "00"}, {}))
        while not self.said or self.said[-1][1].job != job.job:
            self.writer.answer()
        self.scheduler.job_done(JobDone(job.job))
        before = self.stats.files
        while self.stats.files == before:
            self.writer.answer()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "in").mkdir()
    for name, size in SIZES.items():
        (tmp_path / "in" / f"{name}.wav").write_bytes(bytes(size))
    with opened(tmp_path, None) as stage:
        yield stage


@contextmanager
def opened(folder: Path, deadline: str | None) -> Iterator[Stage]:
    run_info = RunInfo("m", "", "cpu", "tests", "{}")
    with open_store(folder / "out", beside=False, wait=False, tell=print) as store, StoreWriter(store) as writer:
        jobs = store.jobs(scan([str(folder / "in")], None).sources, PlanRules("{}", ("txt",)))
        sinks = [FileSink(store, job, Settings(formats=("txt",)), run_info) for job in jobs]
        said: list[tuple[str, WriteOutputs]] = []
        shown, stats = io.StringIO(), RunStats()
        reporter = Reporter(Display(shown), stats)
        scheduler: Scheduler[str] = Scheduler(writer, reporter, Deadline(deadline), lambda *what: said.append(what))
        reporter.open(sinks)
        scheduler.submit(sinks)
        yield Stage(scheduler, writer, said, shown, stats)


def at(job: JobAssigned, seconds: float) -> LaneProgress:
    return LaneProgress(job.job, seconds, seconds, 0.5, 0.0)


def test_one_lane_takes_the_longest_and_the_other_the_shortest(stage: Stage) -> None:
    assert [stage.take("ann", lane).path.stem for lane in (0, 1, 0, 1, 0)] == ["c", "b", "e", "d", "a"]
    assert stage.scheduler.next_job("ann", 0) is None


def test_the_run_is_over_when_the_last_result_is_on_the_disk(stage: Stage) -> None:
    jobs = [stage.take("ann", 0) for _ in SIZES]
    for job in jobs:
        assert not stage.scheduler.finished
        stage.done(job)
    assert stage.scheduler.finished
    assert (stage.stats.done, stage.scheduler.remaining) == (5, 0)


def test_the_recordings_of_a_dead_worker_are_begun_again(stage: Stage) -> None:
    first, second, others = stage.take("ann", 0), stage.take("ann", 1), stage.take("bob", 1)
    stage.scheduler.worker_lost("ann", at(first, 2.0), "killed by SIGKILL", own_fault=False)
    assert not stage.scheduler.is_working("ann")
    assert stage.scheduler.is_working("bob")
    assert [stage.take("cho", 0).path, stage.take("cho", 1).path] == [first.path, second.path]
    assert others.path not in (first.path, second.path)


def test_only_the_recording_that_it_was_at_is_blamed(stage: Stage) -> None:
    for _ in range(2):
        bad, good = stage.take("ann", 0), stage.take("ann", 1)
        stage.scheduler.worker_lost("ann", at(bad, 2.0), "killed by SIGSEGV", own_fault=True)
    while not stage.stats.failed:
        stage.writer.answer()
    assert "c.wav: the process that read it died again, at 2 s of it: killed by SIGSEGV" in stage.shown.getvalue()
    assert stage.take("bob", 1).path == good.path


def test_a_result_that_is_on_its_way_to_the_disk_survives_its_worker(stage: Stage) -> None:
    job = stage.take("ann", 0)
    stage.scheduler.outputs_ready(OutputsReady(job.job, SUMMARY, InputContent.of(job.path), {"txt": "00"}, {}))
    stage.writer.answer()
    while not stage.said:
        stage.writer.answer()
    stage.scheduler.job_done(JobDone(job.job))
    stage.scheduler.worker_lost("ann", at(job, 1.0), "killed by SIGKILL", own_fault=False)
    while not stage.stats.done:
        stage.writer.answer()
    assert stage.scheduler.remaining == 4


def test_a_recording_that_changed_meanwhile_is_not_written(stage: Stage) -> None:
    job = stage.take("ann", 0)
    content = InputContent.of(job.path)
    job.path.write_bytes(b"changed")
    stage.scheduler.outputs_ready(OutputsReady(job.job, SUMMARY, content, {"txt": "00"}, {}))
    while not stage.stats.left:
        stage.writer.answer()
    assert stage.said == [("ann", WriteOutputs(job.job, None))]


def test_a_failure_is_put_down_with_its_place(stage: Stage, tmp_path: Path) -> None:
    job = stage.take("ann", 0)
    stage.scheduler.job_failed(JobFailed(job.job, InputError("no audio"), InputContent.of(job.path), {}))
    while not stage.stats.failed:
        stage.writer.answer()
    (line,) = (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["error"] == f"{job.path}: no audio"


def test_behind_the_deadline_nothing_is_handed_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"speech")
    with opened(tmp_path, "+0s") as stage:
        assert stage.scheduler.next_job("ann", 0) is None
        assert stage.scheduler.finished
        assert stage.scheduler.remaining == 1


def test_a_run_that_stops_begins_and_writes_nothing_more(stage: Stage) -> None:
    job = stage.take("ann", 0)
    stage.scheduler.stop()
    stage.scheduler.outputs_ready(OutputsReady(job.job, SUMMARY, InputContent.of(job.path), {"txt": "00"}, {}))
    assert stage.scheduler.next_job("ann", 1) is None
    assert not stage.scheduler.is_writing
    assert stage.scheduler.remaining == 5
