"""Who gets which recording, and what becomes of it when its worker dies: a real record, workers that only talk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from funasr_cli.errors import InputError
from funasr_cli.inputs.scan import Source, from_stdin, scan
from funasr_cli.pool.protocol import JobAssigned, JobDone, JobFailed, OutputsReady, WriteOutputs
from funasr_cli.pool.scheduler import Scheduler
from funasr_cli.pool.shared_memory import LaneProgress
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent, TranscriptSummary
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
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

    def ready(self, job: JobAssigned) -> None:
        self.scheduler.outputs_ready(OutputsReady(job.job, SUMMARY, InputContent.of(job.path), {"txt": "00"}, {}))

    def placed(self, job: JobAssigned) -> None:
        self.ready(job)
        while not self.said or self.said[-1][1].job != job.job:
            self.writer.answer()

    def settle(self) -> None:
        """Have everything that was handed in put down and answered for."""
        settled: list[object] = []
        self.writer.submit(lambda: None, settled.append, urgent=True)
        while not settled:
            self.writer.answer()

    def done(self, job: JobAssigned) -> None:
        self.placed(job)
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
def opened(folder: Path, deadline: str | None, sources: Sequence[Source] = ()) -> Iterator[Stage]:
    run_info = RunInfo("m", "", "cpu", "tests", "{}")
    with open_store(folder / "out", beside=False, wait=False, tell=print) as store, StoreWriter(store) as writer:
        sources = sources or scan([str(folder / "in")], None).sources
        jobs = store.jobs(sources, PlanRules("{}", ("txt",)))
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
    assert (
        "c.wav: the process that read it died again, 2 s into the recording: killed by SIGSEGV"
        in stage.shown.getvalue()
    )
    assert stage.take("bob", 1).path == good.path


def test_a_result_that_is_on_its_way_to_the_disk_survives_its_worker(stage: Stage) -> None:
    job = stage.take("ann", 0)
    stage.placed(job)
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


def test_a_failure_is_put_down_with_its_place_and_of_the_content_that_was_read(stage: Stage, tmp_path: Path) -> None:
    job = stage.take("ann", 0)
    content = InputContent.of(job.path)
    job.path.write_bytes(b"changed")
    stage.scheduler.job_failed(JobFailed(job.job, InputError("no audio"), content, {"decode": 1.5}))
    while not stage.stats.failed:
        stage.writer.answer()
    (line,) = map(json.loads, (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    assert line["error"] == f"{job.path}: no audio"
    assert (line["sha256"], line["seconds"]) == (content.sha256, {"decode": 1.5})


def test_a_text_that_goes_to_another_name_is_told(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "out" / "c.txt").write_text("somebody's notes")
    stage.done(stage.take("ann", 0))
    assert "warning: " in stage.shown.getvalue()
    assert "c.new.txt" in stage.shown.getvalue()


def test_a_recording_that_is_killed_at_many_places_is_tried_again_and_one_at_one_place_is_not(stage: Stage) -> None:
    for seconds in (*range(10), *[10.0] * 9):
        job = stage.take("ann", 0)
        stage.scheduler.worker_lost("ann", at(job, seconds), "killed by SIGKILL", own_fault=False)
        stage.settle()
        assert (job.path.stem, stage.stats.failed) == ("c", 0)
    stage.scheduler.worker_lost("ann", at(stage.take("ann", 0), 10.0), "killed by SIGKILL", own_fault=False)
    stage.settle()
    assert stage.stats.failed == 1


def test_if_the_current_folder_is_gone_workers_are_given_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("in", "cwd"):
        (tmp_path / name).mkdir()
    for name, size in SIZES.items():
        (tmp_path / "in" / f"{name}.wav").write_bytes(bytes(size))
    (tmp_path / "spooled").touch()
    monkeypatch.chdir(tmp_path / "cwd")
    sources = [*scan(["../in"], None).sources, from_stdin(tmp_path / "spooled")]
    with opened(tmp_path, None, sources) as stage:
        assert stage.take("ann", 0).path == Path("../in/c.wav")
        (tmp_path / "cwd").rmdir()
        assert stage.take("ann", 0).path == tmp_path.resolve() / "in" / "e.wav"
        assert stage.take("ann", 1).path == tmp_path / "spooled"


def test_behind_the_deadline_nothing_is_handed_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"speech")
    with opened(tmp_path, "+0s") as stage:
        assert stage.scheduler.next_job("ann", 0) is None
        assert stage.scheduler.finished
        assert stage.scheduler.remaining == 1


def test_a_run_that_stops_begins_and_writes_nothing_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    job = stage.take("ann", 0)
    monkeypatch.setattr(stage.writer, "submit", lambda *_, **__: pytest.fail("the store is asked"))
    stage.scheduler.stop()
    stage.scheduler.outputs_ready(OutputsReady(job.job, SUMMARY, InputContent.of(job.path), {"txt": "00"}, {}))
    assert stage.scheduler.next_job("ann", 1) is None
    assert not stage.scheduler.is_writing
    assert stage.scheduler.remaining == 5


def test_a_run_that_stops_while_a_place_is_looked_for_writes_nothing(stage: Stage) -> None:
    job = stage.take("ann", 0)
    stage.ready(job)
    stage.scheduler.stop()
    stage.settle()
    assert not stage.said
    assert not stage.scheduler.is_writing


@pytest.mark.parametrize("how", ["failed", "blamed", "begun again"])
def test_nobody_is_told_where_to_write_what_is_settled(stage: Stage, how: str) -> None:
    first, other = stage.take("ann", 0), stage.take("bob", 1)
    if how == "blamed":
        stage.scheduler.worker_lost("ann", at(first, 2.0), "killed by SIGSEGV", own_fault=True)
        first = stage.take("ann", 0)
    stage.ready(first)
    stage.ready(other)
    if how == "failed":
        stage.scheduler.job_failed(JobFailed(first.job, InputError("no audio"), InputContent(), {}))
    else:
        stage.scheduler.worker_lost("ann", at(first, 2.0), "killed by SIGSEGV", own_fault=how == "blamed")
    stage.settle()
    assert [(worker, message.job) for worker, message in stage.said] == [("bob", other.job)]
    assert stage.stats.failed == (how != "begun again")
    assert stage.scheduler.is_writing  # what is bob's


def test_it_is_a_workers_turn_unless_the_store_is_asked(stage: Stage) -> None:
    assert not stage.scheduler.is_working("ann")
    first, second = stage.take("ann", 0), stage.take("ann", 1)
    stage.take("bob", 0)
    assert stage.scheduler.is_working("ann")
    stage.ready(first)  # the worker may well wait for the answer, whatever it does in its other lane
    assert not stage.scheduler.is_working("ann")
    assert stage.scheduler.is_working("bob")
    stage.settle()
    assert stage.scheduler.is_working("ann")
    stage.scheduler.job_failed(JobFailed(second.job, InputError("no audio"), InputContent(), {}))
    assert stage.scheduler.is_working("ann")
    stage.scheduler.job_done(JobDone(first.job))
    assert not stage.scheduler.is_working("ann")  # it has told all, and the disk is slow
    assert not stage.scheduler.finished


def test_what_is_being_written_is_until_it_is_on_the_disk(stage: Stage) -> None:
    job, failed = stage.take("ann", 0), stage.take("ann", 1)
    assert not stage.scheduler.is_writing
    stage.placed(job)
    assert stage.scheduler.is_writing
    stage.scheduler.job_done(JobDone(job.job))
    assert stage.scheduler.is_writing
    stage.settle()
    assert not stage.scheduler.is_writing
    stage.scheduler.job_failed(JobFailed(failed.job, InputError("no audio"), InputContent(), {}))
    assert stage.scheduler.is_writing
    stage.settle()
    assert not stage.scheduler.is_writing
    assert (stage.stats.done, stage.stats.failed, stage.scheduler.remaining) == (1, 1, 3)


@pytest.mark.parametrize("end", ["worker lost", "run over"])
def test_what_is_half_written_is_removed(stage: Stage, end: str) -> None:
    jobs = [stage.take("ann", 0), stage.take("bob", 0)]
    for job in jobs:
        stage.placed(job)
    halves = [write.temporary for _, message in stage.said for write in message.writes or ()]
    for half in halves:
        half.parent.mkdir(exist_ok=True)
        half.touch()
    if end == "run over":
        stage.scheduler.abandon()
    else:
        stage.scheduler.worker_lost("ann", at(jobs[0], 2.0), "killed by SIGKILL", own_fault=False)
    assert [half.exists() for half in halves] == [False, end == "worker lost"]


def test_a_recording_that_is_begun_again_keeps_its_place_among_the_others(stage: Stage) -> None:
    largest = stage.take("ann", 0)
    middle = stage.take("bob", 0)
    for worker, job in (("ann", largest), ("bob", middle)):
        stage.scheduler.worker_lost(worker, at(job, 1.0), "killed by SIGKILL", own_fault=False)
    assert [stage.take("cho", 0).path.stem for _ in SIZES] == ["c", "e", "a", "d", "b"]
    shown = stage.shown.getvalue()
    assert f"{largest.path} is started again: its process was lost (killed by SIGKILL)" in shown


def test_the_display_shows_how_far_the_jobs_under_way_are(stage: Stage) -> None:
    first, second, settled = stage.take("ann", 0), stage.take("ann", 1), stage.take("bob", 0)
    stage.scheduler.job_failed(JobFailed(settled.job, InputError("no audio"), InputContent(), {}))
    moved: list[tuple[str, float, float]] = []
    stage.scheduler._reporter.moved = lambda *what: moved.append(what)  # type: ignore[method-assign]
    nowhere = LaneProgress(0, 9.0, 9.0, 0.9, 0.0)
    ahead = LaneProgress(second.job, 8.0, 2.0, 0.5, 0.0)  # most of what it has read is not recognised yet
    stage.scheduler.report_progress([nowhere, at(settled, 7.0), at(first, 3.0), ahead])
    stage.scheduler.report_progress([])
    assert moved == [("c.wav", 5.0, 0.5 * (SIZES["c"] + SIZES["b"])), ("", 0.0, 0.0)]


def test_a_worker_waits_for_a_place_no_longer_than_it_must(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    urgent: list[bool] = []
    submit = stage.writer.submit

    def noted(*what: object, **how: bool) -> None:
        urgent.append(how.get("urgent", False))
        submit(*what, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.writer, "submit", noted)
    job = stage.take("ann", 0)
    stage.placed(job)
    assert urgent == [False, True]
