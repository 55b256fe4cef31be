"""What a second night does: the rows "Again" and "Names" of the design, on real files and the real store.

Transcripts are made up from the content of the file; the tests are about what is done, when, and under which names.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from funasr_cli.errors import RecordError
from funasr_cli.files import sha256_of, write_whole
from funasr_cli.inputs.scan import scan
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.settings.transcription import Settings
from funasr_cli.store import entries
from funasr_cli.store.opening import peek_store
from funasr_cli.store.planner import Action, PlannedJob, PlanRules
from tests.support.nights import MODEL, Sleepless, manifest, of, outputs, put

# Names


def test_the_input_tree_is_mirrored(night: Sleepless) -> None:
    put("in/2026/05/a.wav")
    night()
    assert outputs() == {"2026/05/a.txt", "2026/05/a.srt"}


def test_an_output_is_the_stem_when_that_is_free_else_the_full_name(night: Sleepless) -> None:
    put("in/a.wav", "one")
    put("in/a.mp3", "two")
    night()
    assert outputs() == {"a.txt", "a.srt", "a.mp3.txt", "a.mp3.srt"}
    assert Path("out/a.mp3.txt").read_text().startswith("two")


def test_a_name_once_given_never_moves(night: Sleepless) -> None:
    put("in/a.mp3", "two")
    night()
    put("in/a.wav", "one")  # it would have had a better claim to the name
    assert night().done == {"a.wav": "new"}
    assert Path("out/a.txt").read_text().startswith("two")
    assert Path("out/a.wav.txt").read_text().startswith("one")


def test_a_name_is_not_given_again_when_its_recording_is_gone(night: Sleepless) -> None:
    put("in/a.mp3", "two")
    night()
    Path("in/a.mp3").unlink()
    put("in/a.wav", "one")
    night()
    assert Path("out/a.txt").read_text().startswith("two")
    assert Path("out/a.wav.txt").read_text().startswith("one")


def test_the_same_place_in_another_tree_is_another_recording(night: Sleepless) -> None:
    put("in/a.wav", "one")
    put("other/a.wav", "two")
    night("in")
    night("other")
    assert Path("out/a.txt").read_text().startswith("one")
    assert Path("out/a.wav.txt").read_text().startswith("two")


def test_the_output_folder_is_never_scanned(night: Sleepless) -> None:
    put("in/a.wav")
    put("out/b.wav")
    assert set(night(".").done) == {"in/a.wav"}


def test_beside_writes_beside_and_keeps_the_record_in_the_folder(night: Sleepless) -> None:
    put("in/a.wav")
    night(beside=True)
    assert outputs("in") == {"a.wav", "a.txt", "a.srt"}
    assert outputs("out") == set()
    assert night(beside=True).done == {}


def test_beside_never_overwrites_a_file_that_is_not_ours(night: Sleepless) -> None:
    put("in/a.wav", "one")
    put("in/a.txt", "somebody's notes")
    warnings = night(beside=True).warnings
    assert Path("in/a.txt").read_text() == "somebody's notes"
    assert Path("in/a.new.txt").read_text().startswith("one")
    assert len(warnings) == 1


# Again


def test_what_is_done_is_skipped(night: Sleepless) -> None:
    put("in/a.wav")
    assert night().done == {"a.wav": "new"}
    assert night().done == {}


def test_a_file_that_only_looks_new_is_skipped(night: Sleepless) -> None:
    path = put("in/a.wav")
    night()
    os.utime(path, (1, 1))
    assert night().done == {}


def test_new_content_is_done_again(night: Sleepless) -> None:
    put("in/a.wav", "one")
    put("in/b.wav", "one")
    night()
    put("in/a.wav", "two")
    assert night().done == {"a.wav": "its content changed"}
    assert Path("out/a.txt").read_text().startswith("two")


def test_new_content_with_the_old_looks_is_found_when_asked_for(night: Sleepless) -> None:
    path = put("in/a.wav", "one")
    night()
    before = path.stat()
    with path.open("r+") as file:
        file.write("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert night().done == {}
    assert night(verify_content=True).done == {"a.wav": "its content changed"}


def test_a_recording_that_is_replaced_with_its_time_kept_is_done_again(night: Sleepless) -> None:
    path = put("in/a.wav", "one")
    night()
    before = path.stat()
    with path.open("r+") as file:  # like rsync --inplace --times: the same inode, the same time
        file.write("another")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert night().done == {"a.wav": "its content changed"}
    assert Path("out/a.txt").read_text().startswith("another")


def test_a_recording_that_another_of_its_size_and_time_was_moved_over_is_done_again(night: Sleepless) -> None:
    path = put("in/a.wav", "one")
    night()
    before, other = path.stat(), put("elsewhere/a.wav", "two")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert night().done == {"a.wav": "its content changed"}


def test_another_model_does_it_again(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    assert night(model="e1" * 32).done == {"a.wav": "changed: model"}


def test_a_setting_that_matters_does_it_again(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    assert night(settings=Settings(language="zh")).done == {"a.wav": "changed: language"}
    assert night(settings=Settings(language="zh", vad=None)).done == {"a.wav": "changed: vad"}
    assert night(settings=Settings(language="zh", vad=None)).done == {}


def test_another_format_is_written_and_fewer_are_no_reason(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    assert night(settings=Settings(formats=("txt",))).done == {}
    assert night(settings=Settings(formats=("txt", "json"))).done == {"a.wav": "no json of it yet"}


def test_an_output_of_an_earlier_night_does_not_pass_for_one_of_this(night: Sleepless) -> None:
    put("in/a.wav")
    night(settings=Settings(language="en"))
    night(settings=Settings(language="zh", formats=("txt",)))
    assert night(settings=Settings(language="zh")).done == {"a.wav": "no srt of it yet"}
    assert "zh" in Path("out/a.srt").read_text()


def test_an_output_elsewhere_does_not_pass_for_one_here(night: Sleepless) -> None:
    put("in/a.wav")
    night(beside=True)
    assert night().done == {"a.wav": "no txt, srt of it yet"}
    assert outputs() == {"a.txt", "a.srt"}


def test_our_outputs_are_known_from_wherever_we_look(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> None:
    put("in/a.wav", "one")
    Path("job").mkdir()
    monkeypatch.chdir("job")
    night("../in", out="../out", beside=True)
    monkeypatch.chdir("..")
    put("in/a.wav", "two")
    assert night(beside=True).warnings == []
    assert outputs("in") == {"a.wav", "a.txt", "a.srt"}
    assert len({line["path"] for line in manifest()}) == 1


def test_a_tree_that_moved_with_its_outputs_beside_stays_done(night: Sleepless) -> None:
    put("in/a.wav", "one")
    night(beside=True)
    Path("in").rename("archive")
    assert night("archive", beside=True).done == {}
    put("archive/a.wav", "two")
    assert night("archive", beside=True).warnings == []


def test_what_was_only_announced_for_a_killed_run_does_not_count_as_written(night: Sleepless) -> None:
    put("in/a.wav", "one")
    night()
    put("in/a.wav", "two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("funasr_cli.store.output_files.write_whole", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            night()
    night(settings=Settings(formats=("txt",)))
    assert night().done == {"a.wav": "no srt of it yet"}
    assert outputs() == {"a.txt", "a.srt"}
    assert "two" in Path("out/a.srt").read_text()


def test_an_output_that_a_killed_run_replaced_does_not_pass_for_the_old_one(night: Sleepless) -> None:
    put("in/a.wav", "one")
    night(settings=Settings(language="en"))
    written: list[Path] = []

    def die_at_the_second(path: Path, data: bytes, temporary: Path) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write_whole(path, data, temporary)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("funasr_cli.store.output_files.write_whole", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            night(settings=Settings(language="zh"))
    assert "zh" in Path("out/a.txt").read_text()
    assert night(settings=Settings(language="en")).done == {"a.wav": "no txt, srt of it yet"}
    assert "en" in Path("out/a.txt").read_text()
    assert outputs() == {"a.txt", "a.srt"}


def test_a_deleted_output_is_written_again(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    Path("out/a.srt").unlink()
    assert night().done == {"a.wav": "no srt of it yet"}
    assert outputs() == {"a.txt", "a.srt"}


def test_what_failed_is_tried_again_and_counted(night: Sleepless) -> None:
    put("in/a.wav")
    night(fail=["a.wav"])
    night(fail=["a.wav"])
    assert night().done == {"a.wav": "failed before"}
    assert [(line["status"], line["attempts"]) for line in manifest()] == [("failed", 1), ("failed", 2), ("done", 3)]


def failed_before() -> list[object]:
    return [line.get("failed_before") for line in manifest()]


def test_what_failed_before_and_has_not_changed_is_told_from_what_fails_anew(night: Sleepless) -> None:
    put("in/a.wav", "one")
    night(fail=["a.wav"])
    night(fail=["a.wav"])
    night(fail=["a.wav"], model="e1" * 32)  # another model may try the same recording again
    assert failed_before() == [False, True, True]
    put("in/a.wav", "two")
    night(fail=["a.wav"])
    assert failed_before()[-1] is False
    night()
    put("in/a.wav", "three")
    night(fail=["a.wav"])
    assert failed_before()[-2:] == [None, False]


def test_what_cannot_be_read_has_not_changed_as_long_as_it_cannot(night: Sleepless) -> None:
    Path("in/a.wav").symlink_to("nowhere")
    night(fail=["a.wav"])
    night(fail=["a.wav"])
    Path("in/nowhere").write_text("speech")
    night(fail=["a.wav"])
    assert failed_before() == [False, True, False]


def test_force_does_everything_again(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    assert night(force=True).done == {"a.wav": "forced"}


def test_an_output_that_somebody_edited_is_never_overwritten(night: Sleepless) -> None:
    put("in/a.wav", "one")
    night()
    Path("out/a.txt").write_text("corrected by hand")
    assert night().done == {}
    put("in/a.wav", "two")
    warning = "was edited, or not written by funasr-cli; the new text is in a.new.txt"
    assert night().warnings == [f"{Path.cwd()}/out/a.txt {warning}"]
    assert Path("out/a.txt").read_text() == "corrected by hand"
    assert Path("out/a.new.txt").read_text().startswith("two")
    assert Path("out/a.srt").read_text().count("two") == 1
    put("in/a.wav", "three")
    night()
    assert Path("out/a.new.txt").read_text().startswith("three")
    Path("out/a.new.txt").write_text("corrected as well")
    put("in/a.wav", "four")
    night()
    assert Path("out/a.new.txt").read_text() == "corrected as well"
    assert Path("out/a.new2.txt").read_text().startswith("four")


def test_a_young_file_is_left_for_next_time(night: Sleepless) -> None:
    put("in/a.wav")
    os.utime(put("in/b.wav"), (time.time() - 100,) * 2)
    result = night(min_age=60.0)
    assert set(result.done) == {"b.wav"}
    assert "less than --min-age" in result.left["a.wav"]
    assert {Path(str(line["path"])).name: line["status"] for line in manifest()} == {
        "a.wav": "skipped",
        "b.wav": "done",
    }


def test_a_time_stamp_in_the_future_is_no_reason_to_wait_for_it(night: Sleepless) -> None:
    os.utime(put("in/a.wav"), (time.time() + 1e6,) * 2)
    assert set(night(min_age=60.0).done) == {"a.wav"}


def test_a_file_that_changes_while_it_is_read_is_left_for_next_time(night: Sleepless) -> None:
    path = put("in/a.wav", "one")
    result = night(while_read=lambda: path.write_text("one and more"))
    assert result.left == {"a.wav": "changed while it was being read; left for the next run"}
    assert outputs() == set()
    assert night().done == {"a.wav": "new"}
    assert Path("out/a.txt").read_text().startswith("one and more")


def test_a_file_of_full_size_that_is_still_being_filled_is_left_for_next_time(night: Sleepless) -> None:
    path = put("in/a.wav", "\0\0\0")  # as a recorder allocates it

    def fill() -> None:
        path.write_text("one")
        os.utime(path, ns=(0, 1))

    assert night(while_read=fill).left == {"a.wav": "changed while it was being read; left for the next run"}
    assert outputs() == set()


def test_a_text_never_goes_to_a_name_of_another_recording(night: Sleepless) -> None:
    put("in/a.wav", "one")
    put("in/a.new.wav", "the other")
    night()
    Path("out/a.txt").write_text("corrected by hand")
    put("in/a.wav", "two")
    night()
    assert Path("out/a.new.txt").read_text().startswith("the other")
    assert Path("out/a.new2.txt").read_text().startswith("two")


def test_a_tree_that_was_moved_is_known_again(night: Sleepless) -> None:
    put("in/2026/a.wav", "one")
    night()
    Path("in").rename("archive")
    assert night("archive").done == {}
    put("archive/2026/a.wav", "two")
    assert night("archive").done == {"2026/a.wav": "its content changed"}
    assert outputs() == {"2026/a.txt", "2026/a.srt"}


@pytest.mark.parametrize("content", ["two", "longer", None])
def test_another_recording_in_the_place_of_one_that_is_gone_is_new(night: Sleepless, content: str | None) -> None:
    put("in/a.wav", "one")
    night()
    Path("in/a.wav").unlink()
    Path("other").mkdir()
    if content:
        put("other/a.wav", content)
    else:
        Path("other/a.wav").symlink_to("nowhere")
    night("other", fail=[] if content else ["a.wav"])
    put("other/nowhere", "two")
    night("other/a.wav")
    assert Path("out/a.txt").read_text().startswith("one")
    assert Path("out/a.wav.txt").read_text().startswith(content or "two")


def test_a_file_that_only_looks_new_is_hashed_once(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr(entries, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))  # type: ignore[func-returns-value]
    path = put("in/a.wav")
    night()
    os.utime(path, (1, 1))
    night()
    night()
    assert len(hashed) == 2  # when it was done, and when its inode or times changed


def test_an_output_folder_that_was_moved_stays_done(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    Path("out").rename("elsewhere")
    assert night(out="elsewhere").done == {}


def test_a_dry_run_changes_nothing(night: Sleepless) -> None:
    put("in/a.wav")
    rules = PlanRules(fingerprint(Settings(), of(MODEL)), ("txt",))
    with peek_store(Path("out"), beside=False) as store:
        jobs = store.jobs(scan(["in"], None).sources, rules)
    assert [(job.action, job.why) for job in jobs] == [(Action.DO, "new")]
    assert not Path("out").exists()
    night()
    before = Path("out/.funasr-cli/state.sqlite").read_bytes()
    put("in/b.wav")
    with peek_store(Path("out"), beside=False) as store:
        jobs = store.jobs(scan(["in"], None).sources, rules)
    assert [job.why for job in jobs] == ["done", "new"]
    assert Path("out/.funasr-cli/state.sqlite").read_bytes() == before


def test_a_dry_run_needs_no_temporary_folder(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    put("in/a.wav")
    night()
    connect = sqlite3.connect

    def without_temporary_files(place: Path | str, **options: Any) -> sqlite3.Connection:
        if place == "":
            raise sqlite3.OperationalError("unable to open database file")
        return connect(place, **options)

    monkeypatch.setattr("sqlite3.connect", without_temporary_files)
    assert [job.why for job in peeked("in")] == ["done"]


def test_names_that_are_no_text_are_remembered(night: Sleepless) -> None:
    for raw in (b"in/\xb2\xe2\xca\xd4.wav", b"in/new\nline.wav"):
        Path(os.fsdecode(raw)).write_text("speech")
    assert len(night().done) == 2
    assert night().done == {}
    assert {line["status"] for line in manifest()} == {"done"}


# The state


@pytest.mark.parametrize("damage", ["no database", "cut", "foreign"])
def test_a_damaged_state_comes_with_what_is_lost_and_a_way_on(night: Sleepless, damage: str) -> None:
    import sqlite3

    put("in/a.wav", "one")
    put("in/b.wav", "one")
    night()
    state = Path("out/.funasr-cli/state.sqlite")
    if damage == "no database":
        state.write_bytes(b"x" * 5000)
    elif damage == "cut":
        state.write_bytes(state.read_bytes()[:6000])
    else:
        state.unlink()
        with sqlite3.connect(state) as other:
            other.execute("PRAGMA user_version = 1")
        other.close()
    put("in/b.wav", "two")
    for look in (lambda: night(force=True), lambda: peeked("in")):
        with pytest.raises(RecordError, match=r"state\.sqlite: the state of this run cannot be saved: ") as caught:
            look()
        move = re.search(r"mv \S+ \S+", str(caught.value))
        assert move is not None
        assert "which recordings are done and how their outputs are named" in str(caught.value)
    subprocess.run(move[0].split(), check=True)
    assert night().done == {"a.wav": "new", "b.wav": "new"}
    assert outputs() == {"a.txt", "a.srt", "b.txt", "b.srt", "b.new.txt", "b.new.srt"}
    assert len(manifest()) == 4


def peeked(root: str) -> list[PlannedJob]:
    with peek_store(Path("out"), beside=False) as store:
        return store.jobs(scan([root], None).sources, PlanRules(fingerprint(Settings(), of(MODEL)), ("txt",)))


# The manifest


def test_a_torn_last_line_is_repaired(night: Sleepless) -> None:
    put("in/a.wav")
    night()
    with Path("out/manifest.jsonl").open("a") as file:
        file.write('{"path": "/in/b.wav", "sta')
    put("in/b.wav")
    night()
    assert [Path(str(line["path"])).name for line in manifest()] == ["a.wav", "b.wav"]


def test_a_line_that_a_crash_kept_from_the_manifest_is_added_once(night: Sleepless) -> None:
    import sqlite3

    put("in/a.wav")
    night()
    path = Path("out/manifest.jsonl")
    line = path.read_text()
    with sqlite3.connect("out/.funasr-cli/state.sqlite") as state:
        state.execute("UPDATE input SET record = ?", (line.strip(),))
    state.close()
    night()
    assert path.read_text() == line
    path.write_text("")
    with sqlite3.connect("out/.funasr-cli/state.sqlite") as state:
        state.execute("UPDATE input SET record = ?", (line.strip(),))
    state.close()
    night()
    assert path.read_text() == line


def test_a_line_tells_what_was_done_with_what(night: Sleepless) -> None:
    put("in/a.wav", "one")
    night()
    (line,) = manifest()
    assert {"time", "path", "status", "attempts", "sha256", "duration", "speech_seconds", "language", "outputs"} <= set(
        line
    )
    assert {"warnings", "seconds", "extra_runs", "model", "model_sha256", "device", "device_why", "settings"} <= set(
        line
    )
    assert line["outputs"].keys() == {"a.txt", "a.srt"}  # type: ignore[attr-defined]
