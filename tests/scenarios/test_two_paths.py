"""One recording is one, whatever path leads to it; two recordings are two, even if they are one file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.disks import mounted_twice
from tests.support.nights import Sleepless, outputs, put

BOTH = {"a.txt", "a.srt", "sub/b.txt", "sub/b.srt"}


@pytest.fixture
def real(night: Sleepless) -> Path:
    """A tree of two recordings, and a link `data` to a folder above it."""
    put("disk/meetings/a.wav", "one")
    put("disk/meetings/sub/b.wav", "two")
    Path("data").symlink_to("disk")
    return Path("disk/meetings")


@pytest.mark.parametrize(
    ("first", "then"),
    [*permutations(["disk/meetings", "data/meetings"]), ("data/meetings", "data/../data/meetings")],
)
def test_through_a_link_nothing_is_new(night: Sleepless, real: Path, first: str, then: str) -> None:
    night(first)
    assert night(then).done == {}
    assert night(str(Path(then).absolute())).done == {}
    assert outputs() == BOTH


def test_a_link_and_the_folder_above_it_lead_where_they_lead(night: Sleepless) -> None:
    put("rec/x.wav", "one")
    put("elsewhere/rec/x.wav", "two")
    put("elsewhere/sub/y.wav", "three")
    Path("link").symlink_to("elsewhere/sub")
    night("rec")
    assert night("rec", "link/../rec").done == {"rec/x.wav": "new"}
    assert night("rec", "link/../rec").done == {}
    assert Path("out/x.txt").read_text().startswith("one")
    assert Path("out/rec/x.txt").read_text().startswith("two")


def test_from_within_a_linked_folder_nothing_is_new(
    night: Sleepless, real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("data/meetings")
    night(".", out=str(tmp_path / "out"))
    monkeypatch.chdir(tmp_path)
    assert night(str(tmp_path / "data/meetings")).done == {}


def as_recorded_before(link: str) -> None:
    """Store the recordings under the path with the link, as earlier versions did."""
    with closing(sqlite3.connect("out/.funasr-cli/state.sqlite")) as state, state:
        for ident, path in state.execute("SELECT id, path FROM input").fetchall():
            linked = os.fsdecode(path).replace("/disk/", f"/{link}/")
            state.execute("UPDATE input SET path = ? WHERE id = ?", (os.fsencode(linked), ident))


@pytest.mark.parametrize("again", ["data/meetings", "disk/meetings", "other/meetings"])
def test_what_was_put_down_with_its_links_is_known(night: Sleepless, real: Path, again: str) -> None:
    Path("other").symlink_to("disk")
    night("disk/meetings")
    as_recorded_before("data")
    assert night(again).done == {}
    put("disk/meetings/a.wav", "changed")
    assert night(again).done == {"a.wav": "its content changed"}
    assert outputs() == BOTH


def test_if_both_paths_are_on_record_each_keeps_its_own(night: Sleepless, real: Path) -> None:
    night("disk/meetings")
    as_recorded_before("data")
    with closing(sqlite3.connect("out/.funasr-cli/state.sqlite")) as state, state:
        path = os.fsencode(Path("disk/meetings/a.wav").absolute())
        state.execute("INSERT INTO input (path, relative, name) VALUES (?, ?, ?)", (path, b"a.wav", b"a.wav"))
    assert night("data/meetings").done == {}
    assert night("disk/meetings").done == {"a.wav": "new"}
    assert night("disk/meetings").done == night("data/meetings").done == {}
    assert outputs() == BOTH | {"a.wav.txt", "a.wav.srt"}


def test_beside_a_linked_recording_its_outputs_are_known(night: Sleepless, real: Path) -> None:
    night("data/meetings", beside=True)
    assert night("disk/meetings", beside=True).done == {}
    assert outputs("disk/meetings") == {"a.wav", "sub/b.wav"} | BOTH


def test_by_a_second_mount_nothing_is_new(night: Sleepless, real: Path) -> None:
    night("disk/meetings")
    with mounted_twice(Path("disk"), Path("mount")):
        assert night("mount/meetings").done == {}
        assert night("mount/meetings/sub", "disk/meetings").done == {}
        put("mount/meetings/a.wav", "changed")
        assert night("mount").done == {"meetings/a.wav": "its content changed"}
    assert outputs() == BOTH


def test_hard_links_with_two_names_are_two_recordings(night: Sleepless) -> None:
    put("in/a.wav", "one")
    Path("in/b.wav").hardlink_to("in/a.wav")
    Path("elsewhere").mkdir()
    Path("elsewhere/a.wav").hardlink_to("in/a.wav")
    assert set(night("in").done) == {"a.wav", "b.wav"}
    assert set(night("elsewhere").done) == {"a.wav"}
    assert {"a.txt", "b.txt", "a.wav.txt"} < outputs()


def test_a_link_that_moves_on_changes_nothing_of_the_day_before(night: Sleepless) -> None:
    for day in ("28", "29"):
        put(f"in/2026-11-{day}/m.wav", f"day{day}")
    link = Path("in/current")
    link.symlink_to("2026-11-28")
    night("in")
    link.unlink()
    link.symlink_to("2026-11-29")
    assert night("in").done == {}
    assert night("in/current").done == {}
    assert outputs() == {f"2026-11-{day}/m.{kind}" for day in ("28", "29") for kind in ("txt", "srt")}


def test_a_record_of_a_link_that_moved_on_is_not_taken_for_another_day(night: Sleepless) -> None:
    put("disk/28/m.wav", "day28")
    put("disk/29/m.wav", "day29")
    Path("data").mkdir()
    Path("data/current").symlink_to("../disk/28")
    night("disk/28")
    with closing(sqlite3.connect("out/.funasr-cli/state.sqlite")) as state, state:
        state.execute("UPDATE input SET path = ?", (os.fsencode(Path("data/current/m.wav").absolute()),))
    Path("data/current").unlink()
    Path("data/current").symlink_to("../disk/29")
    assert night("disk/29").done == {"m.wav": "new"}
    assert Path("out/m.txt").read_text().startswith("day28")
    assert Path("out/m.wav.txt").read_text().startswith("day29")


def test_new_looks_are_put_down_in_one_transaction(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network mounts give files new inode numbers each time."""
    for number in range(20):
        put(f"in/{number}.wav", str(number))
    night()
    for path in list(Path("in").iterdir()):
        os.utime(path, (1, 1))
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr("sqlite3.connect", traced)
    assert night().done == {}
    updates = [index for index, text in enumerate(statements) if text.startswith("UPDATE input SET size")]
    assert len(updates) == 20
    assert "COMMIT" not in statements[updates[0] : updates[-1]]
    statements.clear()
    assert night().done == {}
    assert not [text for text in statements if text.startswith("UPDATE input SET size")]
