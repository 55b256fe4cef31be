"""The record of an output folder: what reaches the manifest, and what a killed run leaves to be put in order."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from funasr_cli.errors import BusyError, MachineError, OutputError, Postponed
from funasr_cli.inputs.scan import scan
from funasr_cli.store import output_store
from funasr_cli.store.entries import FileStat, InputContent
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import PlannedJob, PlanRules
from tests.support.descriptors import open_files

RUN = RunInfo("m", "d0" * 32, "cpu", "tests", "{}")
RULES = PlanRules(RUN.fingerprint, ("txt",))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def store(out: Path) -> Iterator[OutputStore]:
    with opened(out) as store:
        yield store


def opened(out: Path) -> Any:
    return open_store(out, beside=False, wait=False, tell=print)


@contextmanager
def killed_run(out: Path) -> Iterator[OutputStore]:
    """A run that puts nothing in order at its end."""
    with suppress(KeyboardInterrupt), opened(out) as store:
        yield store
        raise KeyboardInterrupt


def job(store: OutputStore, path: Path, content: str = "sound") -> PlannedJob:
    """A recording that is there, as it is planned."""
    path.write_text(content)
    (job,) = store.jobs(scan([str(path)], None).sources, RULES)
    return job


def lines(out: Path) -> list[dict[str, Any]]:
    path = out / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def state(out: Path, question: str) -> list[tuple[Any, ...]]:
    """What an auditor finds in the file."""
    with sqlite3.connect(f"{(out / '.funasr-cli' / 'state.sqlite').as_uri()}?mode=ro", uri=True) as database:
        rows = database.execute(question).fetchall()
    database.close()
    return rows


def finish(store: OutputStore, planned: PlannedJob) -> None:
    """Bring a job to its end, with a text."""
    attempt, content = store.begin(planned), InputContent.of(planned.source.path)
    writes, _ = store.place(attempt, content, {"txt": "11"})
    writes[0].path.write_text("text")
    store.finish(attempt, content, "done", {}, RUN, writes)


def test_a_recording_that_is_gone_when_its_text_is_ready_is_left(store: OutputStore, tmp_path: Path) -> None:
    planned = job(store, tmp_path / "a.wav")
    attempt, content = store.begin(planned), InputContent.of(planned.source.path)
    planned.source.path.unlink()
    with pytest.raises(Postponed):
        store.place(attempt, content, {"txt": "11"})


def test_what_is_in_the_way_of_an_output_is_named(store: OutputStore, out: Path, tmp_path: Path) -> None:
    planned = job(store, tmp_path / "a.wav")
    (out / "a.txt").mkdir()
    with pytest.raises(OutputError, match=r"out/a\.txt"):
        store.place(store.begin(planned), InputContent.of(planned.source.path), {"txt": "11"})


def test_a_failed_recording_that_moves_is_known_again(store: OutputStore, tmp_path: Path) -> None:
    planned = job(store, tmp_path / "a.wav")
    store.finish(store.begin(planned), InputContent.of(planned.source.path), "failed", {}, RUN)
    (tmp_path / "archive").mkdir()
    moved = planned.source.path.rename(tmp_path / "archive" / "a.wav")
    (again,) = store.jobs(scan([str(moved)], None).sources, RULES)
    assert (again.known.id, again.known.attempts, again.why) == (planned.known.id, 1, "failed before")


def test_a_transaction_reaches_state_and_manifest_together(store: OutputStore, out: Path, tmp_path: Path) -> None:
    one, other = job(store, tmp_path / "a.wav"), job(store, tmp_path / "b.wav")
    with store.transaction():
        finish(store, one)
        store.skip(other, "young", RUN)
        assert lines(out) == []
        assert state(out, "SELECT * FROM input WHERE status IS NOT NULL") == []
    assert [(line["path"], line["status"]) for line in lines(out)] == [
        (str(one.known.path), "done"),
        (str(other.known.path), "skipped"),
    ]
    assert state(out, "SELECT id, status FROM input") == [(one.known.id, "done"), (other.known.id, None)]
    store.skip(other, "young", RUN)
    assert len(lines(out)) == 3  # each by itself again


def test_a_transaction_that_fails_reaches_neither(store: OutputStore, out: Path, tmp_path: Path) -> None:
    planned = job(store, tmp_path / "a.wav")

    def fail() -> None:
        with store.transaction():
            finish(store, planned)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert lines(out) == []
    assert state(out, "SELECT status, attempts FROM input") == [(None, 0)]
    finish(store, planned)
    assert [line["attempts"] for line in lines(out)] == [1]


def test_the_state_keeps_lines_only_as_long_as_they_may_be_missing(
    store: OutputStore, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(store, job(store, tmp_path / "0.wav"))
    monkeypatch.setattr(output_store, "FLUSH_EVERY_CHARS", 3 * len((out / "manifest.jsonl").read_text()))
    kept = []
    for number in range(1, 8):
        finish(store, job(store, tmp_path / f"{number}.wav"))
        kept.append(state(out, "SELECT count(record) FROM input")[0][0])
    assert max(kept) == 3
    assert kept.count(0) == 2
    assert len(lines(out)) == 8


def test_a_run_that_ends_leaves_nothing_to_be_put_in_order(out: Path, tmp_path: Path) -> None:
    with opened(out) as store:
        finish(store, job(store, tmp_path / "a.wav"))
    assert state(out, "SELECT count(record) FROM input") == [(0,)]


def test_what_a_killed_run_left_is_put_in_order(out: Path, tmp_path: Path) -> None:
    with killed_run(out) as store:
        finish(store, job(store, tmp_path / "a.wav"))
        planned = job(store, tmp_path / "b.wav")
        writes, _ = store.place(store.begin(planned), InputContent.of(planned.source.path), {"txt": "11"})
        writes[0].temporary.write_text("half")
        (out / "manifest.jsonl").write_text("")
    with opened(out):
        assert not writes[0].temporary.exists()
        assert state(out, "SELECT count(temporary) FROM output") == [(0,)]
        assert state(out, "SELECT count(record) FROM input") == [(0,)]
        assert [line["status"] for line in lines(out)] == ["done"]


def test_a_temporary_file_that_cannot_be_removed_is_no_obstacle(out: Path, tmp_path: Path) -> None:
    with killed_run(out) as store:
        planned = job(store, tmp_path / "b.wav")
        writes, _ = store.place(store.begin(planned), InputContent.of(planned.source.path), {"txt": "11"})
        writes[0].temporary.mkdir()
    with opened(out):
        assert state(out, "SELECT count(temporary) FROM output") == [(0,)]


def test_an_output_folder_is_used_by_one_run_at_a_time(store: OutputStore, out: Path) -> None:
    with pytest.raises(BusyError), opened(out):
        pass


def test_an_output_folder_that_cannot_be_made_is_named(out: Path) -> None:
    out.write_text("a file")
    with (
        pytest.raises(MachineError, match=r"out: the output folder cannot be created: .* is not a folder"),
        opened(out),
    ):
        pass


def test_a_record_is_closed(out: Path) -> None:
    with opened(out):
        pass
    before = open_files()
    with opened(out):
        pass
    assert open_files() <= before


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path)])
def test_only_a_regular_file_has_looks(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "a.wav")
    with pytest.raises(OSError, match="not a regular file"):
        FileStat.of(tmp_path / "a.wav")
    assert InputContent.of(tmp_path / "a.wav") == InputContent(None, None)
