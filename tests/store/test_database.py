"""The state of an output folder: what a transaction leaves, and whose an output is."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import pytest

from funasr_cli.errors import MachineError, RecordError
from funasr_cli.store.database import Database
from funasr_cli.store.entries import FileStat, KnownInput, OutputWrite
from funasr_cli.store.schema import Tables
from tests.support.descriptors import open_files

DONE = {"stat": FileStat(3, 5, 7), "sha256": "c0", "settings": "{}", "record": "line"}


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes what a test leaves open."""
    opened, connect = list[sqlite3.Connection](), sqlite3.connect

    def noted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    yield
    for database in opened:
        database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def add(database: Database, *names: str) -> list[KnownInput]:
    database.add((Path("/in") / name, PurePath(name), PurePath(name).with_suffix("")) for name in names)
    return list(database.inputs().values())


def write(name: str, sha256: str, present: str | None = None) -> OutputWrite:
    path = Path("/out") / name
    return OutputWrite(name.encode(), path, path.suffix[1:], present, sha256, path.with_suffix(".tmp"))


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")

    def fail() -> None:
        with database.transaction():
            database.begin(known)
            add(database, "b.wav")
            database.mark_pending(known, [write("a.txt", "11")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    for look in (database, Database(path)):
        assert [(entry.path.name, entry.attempts) for entry in look.inputs().values()] == [("a.wav", 0)]
        assert look.abandoned() == []
    assert database.begin(known) == 1  # and the next one goes through


def test_what_a_transaction_has_put_down_is_in_the_file(path: Path) -> None:
    database = Database(path)
    with database.transaction():
        (known,) = add(database, "a.wav")
        database.begin(known)
    (again,) = Database(path).inputs().values()
    assert (again.path, again.name, again.attempts) == (Path("/in/a.wav"), PurePath("a"), 1)


def test_what_is_put_down_is_on_the_disk_before_anything_else_happens(path: Path) -> None:
    """Only with these does a power cut neither tear a transaction nor take back one that is over."""
    database = Database(path)
    for pragma, value in (("synchronous", 2), ("journal_mode", "persist")):
        assert database._db.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_an_output_is_ours_by_what_we_left_and_by_what_we_announced(path: Path) -> None:
    database = Database(path)
    one, other = add(database, "a.wav", "b.wav")
    assert database.hashes(b"a.txt", one) == set()
    database.mark_pending(one, [write("a.txt", "11")])
    assert database.hashes(b"a.txt", one) == {"11"}
    database.finish(one, "done", writes=[write("a.txt", "11")], **DONE)
    database.mark_pending(one, [write("a.txt", "22", present="11")])
    assert database.hashes(b"a.txt", one) == {"11", "22"}
    assert database.hashes(b"a.txt", other) is None


def test_an_output_that_was_only_announced_counts_for_nothing_and_leaves_a_name_to_remove(path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    database.mark_pending(known, [write("a.txt", "11"), write("a.srt", "22")])
    assert database.written() == []
    assert set(database.abandoned()) == {Path("/out/a.tmp")}
    database.swept()
    assert database.abandoned() == []
    assert database.hashes(b"a.txt", known) == {"11"}  # it may have got there
    database.mark_pending(known, [write("a.txt", "33"), write("a.srt", "44")])
    database.finish(known, "done", writes=[write("a.txt", "33")], **DONE)
    assert [(output.key, output.format) for output in database.outputs(known)] == [(b"a.txt", "txt")]
    assert database.hashes(b"a.txt", known) == {"33"}
    assert database.abandoned() == [Path("/out/a.tmp")]


def test_an_output_that_is_being_written_again_is_nobodys_result_until_it_is_there(path: Path) -> None:
    database = Database(path)
    one, other = add(database, "a.wav", "b.wav")
    database.mark_pending(one, [write("a.txt", "11")])
    database.finish(one, "done", writes=[write("a.txt", "11")], **DONE)
    database.mark_pending(one, [write("a.txt", "22", present="11")])
    assert (database.outputs(one), database.written()) == ([], [])
    for content in ("11", "22"):  # either may be there
        assert database.holders_of(content) == [(b"a.txt", b"/in/a.wav")]
    database.mark_pending(other, [write("a.txt", "33")])
    assert (database.hashes(b"a.txt", one), database.hashes(b"a.txt", other)) == (None, {"33"})


@pytest.mark.parametrize(("status", "attempts"), [("done", 0), ("empty", 0), ("failed", 2)])
def test_attempts_are_counted_until_it_is_done(path: Path, status: str, attempts: int) -> None:
    database = Database(path)
    known, other = add(database, "a.wav", "b.wav")
    assert [database.begin(known), database.begin(known)] == [1, 2]
    database.finish(known, status, writes=[], **DONE)
    known, other = Database(path).inputs().values()
    assert known == KnownInput(1, b"/in/a.wav", b"a", FileStat(3, 5, 7), "c0", status, "{}", attempts)
    assert other == KnownInput(2, b"/in/b.wav", b"b", None, None, None, None, 0)


def test_a_failure_keeps_the_looks_that_a_success_had(path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    database.finish(known, "done", writes=[], **DONE)
    database.finish(known, "failed", writes=[], **{**DONE, "stat": None, "sha256": "d0"})
    (known,) = database.inputs().values()
    assert (known.stat, known.sha256) == (FileStat(3, 5, 7), "d0")
    database.unchanged([(known, FileStat(1, 1, 1))])
    (known,) = database.inputs().values()
    assert (known.stat, known.sha256, known.status) == (FileStat(1, 1, 1), "d0", "failed")


def test_lines_of_the_manifest_are_kept_until_they_are_in_it_oldest_input_first(path: Path) -> None:
    database = Database(path)
    one, other, _ = add(database, "a.wav", "b.wav", "c.wav")
    database.finish(other, "done", writes=[], **{**DONE, "record": "b"})
    database.finish(one, "done", writes=[], **{**DONE, "record": "a"})
    assert Database(path).unrecorded() == ["a", "b"]
    database.recorded()
    assert Database(path).unrecorded() == []


def test_an_input_that_moved_takes_along_what_lay_beside_it_and_nothing_else(path: Path, tmp_path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    writes = [write("/in/a.txt", "11"), write("a.srt", "22"), write("/elsewhere/a.json", "33")]
    database.mark_pending(known, writes)
    database.finish(known, "done", writes=writes, **DONE)
    assert [entry.path for entry in database.gone_from(PurePath("a.wav"))] == [Path("/in/a.wav")]
    (tmp_path / "a.wav").touch()
    database.moved(known, tmp_path / "a.wav")
    assert database.gone_from(PurePath("a.wav")) == []  # it is there
    assert [entry.path for entry in database.inputs().values()] == [tmp_path / "a.wav"]
    keys = {output.key for output in database.outputs(known)}
    assert keys == {bytes(tmp_path / "a.txt"), b"a.srt", b"/elsewhere/a.json"}
    (tmp_path / "a.wav").unlink()
    (tmp_path / "a.wav").symlink_to("unmounted")
    assert database.gone_from(PurePath("a.wav")) == []  # it may be there again tomorrow


def test_an_output_that_moved_takes_the_place_of_one_that_was_there_before(path: Path) -> None:
    database = Database(path)
    one, other = add(database, "a.wav", "b.wav")
    for known, output in ((one, write("/in/a.txt", "11")), (other, write("/new/a.txt", "22"))):
        database.mark_pending(known, [output])
        database.finish(known, "done", writes=[output], **DONE)
    database.moved(one, Path("/new/a.wav"))
    assert [output.key for output in database.outputs(one)] == [b"/new/a.txt"]
    assert database.outputs(other) == []


def test_what_is_renamed_or_moved_is_so_with_its_outputs_or_not_at_all(path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    database.mark_pending(known, [write("/in/a.txt", "11")])
    with sqlite3.connect(path) as raw:
        for change in ("UPDATE", "DELETE"):
            raw.execute(f"CREATE TRIGGER no_{change} BEFORE {change} ON output BEGIN SELECT RAISE(ABORT, 'no'); END")
    raw.close()
    for call in (lambda: database.rename(known, PurePath("b")), lambda: database.moved(known, Path("/new/a.wav"))):
        with pytest.raises(RecordError):
            call()
    assert list(database.inputs().values()) == [known]


def test_a_copy_leaves_the_file_alone(path: Path, tmp_path: Path) -> None:
    assert Database.copy_of(tmp_path / "nowhere" / "state.sqlite").inputs() == {}
    assert not (tmp_path / "nowhere").exists()
    add(Database(path), "a.wav")
    before = path.read_bytes()
    copy = Database.copy_of(path)
    add(copy, "b.wav")
    assert len(copy.inputs()) == 2
    assert path.read_bytes() == before


def test_a_copy_is_without_a_transaction_that_was_cut_off_and_leaves_that_to_the_next_run(
    path: Path, tmp_path: Path
) -> None:
    database = Database(path)
    add(database, "a.wav")
    database._db.execute("PRAGMA cache_size = 1")  # so that some of what follows is in the file already
    with database.transaction():
        add(database, *(f"{number}.wav" for number in range(1000)))
        (tmp_path / "cut off").mkdir()
        for name in (path.name, f"{path.name}-journal"):
            shutil.copyfile(tmp_path / name, tmp_path / "cut off" / name)
    cut_off = tmp_path / "cut off" / path.name
    before = contents(cut_off.parent)
    assert [known.path.name for known in Database.copy_of(cut_off).inputs().values()] == ["a.wav"]
    assert contents(cut_off.parent) == before
    assert len(Database(cut_off).inputs()) == 1
    assert contents(cut_off.parent) != before


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


CALLS: dict[str, Callable[[Database, KnownInput], object]] = {
    "inputs": lambda database, _: database.inputs(),
    "add": lambda database, _: add(database, "b.wav"),
    "gone_from": lambda database, _: database.gone_from(PurePath("a.wav")),
    "moved": lambda database, known: database.moved(known, Path("/b.wav")),
    "unchanged": lambda database, known: database.unchanged([(known, FileStat(1, 1, 1))]),
    "outputs": lambda database, known: database.outputs(known),
    "written": lambda database, _: database.written(),
    "left_by": lambda database, known: database.left_by(known),
    "holders_of": lambda database, _: database.holders_of("11"),
    "relative": lambda database, known: database.relative(known),
    "rename": lambda database, known: database.rename(known, PurePath("b")),
    "hashes": lambda database, known: database.hashes(b"a.txt", known),
    "begin": lambda database, known: database.begin(known),
    "mark_pending": lambda database, known: database.mark_pending(known, [write("a.txt", "11")]),
    "finish": lambda database, known: database.finish(known, "done", writes=[write("a.txt", "11")], **DONE),
    "unrecorded": lambda database, _: database.unrecorded(),
    "recorded": lambda database, _: database.recorded(),
    "abandoned": lambda database, _: database.abandoned(),
    "swept": lambda database, _: database.swept(),
}


@pytest.mark.parametrize("call", CALLS)
def test_whatever_cannot_be_kept_or_looked_up_is_told_with_the_file(path: Path, call: str) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE output")
        raw.execute("DROP TABLE input")
    raw.close()
    with pytest.raises(RecordError, match=r"state\.sqlite: the state of this run cannot be saved: no such table"):
        CALLS[call](database, known)


def test_what_two_steps_of_one_call_do_is_done_together(path: Path) -> None:
    database = Database(path)
    (one,) = add(database, "a.wav")
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TRIGGER no BEFORE UPDATE ON input BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        raw.execute(
            "CREATE TRIGGER nor BEFORE INSERT ON output WHEN NEW.path = x'62' BEGIN SELECT RAISE(ABORT, ''); END"
        )
    raw.close()
    database.mark_pending(one, [write("a", "11")])
    with pytest.raises(RecordError):
        database.mark_pending(one, [write("a", "22"), write("b", "33")])
    assert database.hashes(b"a", one) == {"11"}
    with pytest.raises(RecordError) as caught:
        database.finish(one, "done", writes=[write("a", "11")], **DONE)
    assert database.written() == []
    assert caught.value.hint is None  # the file is as good as before


def test_what_ends_a_transaction_by_itself_is_told_as_what_it_was(path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TRIGGER no BEFORE UPDATE ON input BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END")
    raw.close()
    with pytest.raises(RecordError, match="disk full"):
        database.begin(known)


def test_an_output_belongs_to_an_input(path: Path) -> None:
    database = Database(path)
    (known,) = add(database, "a.wav")
    with pytest.raises(RecordError, match="FOREIGN KEY"):
        database.mark_pending(replace(known, id=7), [write("a.txt", "11")])


def test_a_state_whose_making_was_interrupted_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = Tables.create

    def begin_and_die(tables: Tables, db: sqlite3.Connection) -> None:
        create(tables, db)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "create", begin_and_die)
        with pytest.raises(KeyboardInterrupt):
            Database(path)
    assert len(add(Database(path), "a.wav")) == 1


def test_nothing_stays_open(path: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"x" * 5000)
    Database(path).close()
    before = open_files()
    Database(path).close()
    Database.copy_of(path).close()
    for look in (Database, Database.copy_of):
        with pytest.raises(RecordError) as caught:
            look(tmp_path / "broken")
        with pytest.raises(RecordError, match="cannot be saved"):
            look(tmp_path)
        del caught
    assert open_files() <= before


def test_a_state_of_a_newer_version_is_left_alone(path: Path) -> None:
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    for look in (Database, Database.copy_of):
        with pytest.raises(MachineError, match="newer version"):
            look(path)
