"""No text is lost on a disk that confuses two names, and texts lost by earlier versions are recovered."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.inputs.scan import scan
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent, TranscriptSummary
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
from funasr_cli.store.output_files import encode_formats, hashes_of, write_outputs
from funasr_cli.store.planner import PlanRules
from funasr_cli.store.sinks import FileSink
from tests.conftest import NANO
from tests.support.command import Run
from tests.support.disks import CASEFOLD, EXFAT, HFS, NO_UNICODE, NORMALISING, SMB, DiskKind, InexactDisk, exfat
from tests.support.nights import MODEL, Sleepless, manifest, of, put, transcript

NFD_NAME = unicodedata.normalize("NFD", "réunion")


def texts(folder: str = "out") -> list[str]:
    return sorted(path.read_text().split()[0] for path in Path(folder).rglob("*.txt"))


def run_info() -> RunInfo:
    return RunInfo("m", MODEL, "cpu", "tests", fingerprint(Settings(), of(MODEL)))


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        (EXFAT, "Talk.wav", "talk.wav"),
        (EXFAT, "Talk.wav", "talk.mp3"),
        (EXFAT, "会议A/talk.wav", "会议a/talk.wav"),
        (HFS, "réunion.wav", f"{NFD_NAME}.wav"),
        (NORMALISING, "réunion.wav", f"{NFD_NAME}.mp3"),
        (CASEFOLD, "RÉUNION.wav", f"{NFD_NAME}.wav"),
        (SMB, "May./talk.wav", "May/talk.wav"),
        (SMB, "May /talk.wav", "may/talk.wav"),
    ],
)
def test_two_recordings_have_two_texts(
    night: Sleepless, monkeypatch: pytest.MonkeyPatch, kind: DiskKind, one: str, two: str
) -> None:
    put(f"in/{one}", "one")
    put(f"in/{two}", "two")
    Path("out").mkdir()
    InexactDisk(Path("out"), kind, monkeypatch)
    result = night()
    assert (len(result.done), result.warnings) == (2, [])
    assert texts() == ["one", "two"]
    assert night().done == {}


def test_beside_their_recordings_too(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> None:
    InexactDisk(Path("in"), EXFAT, monkeypatch)
    put("in/Talk.wav", "one")
    put("in/talk.mp3", "two")
    assert night(beside=True).warnings == []
    put("in/TALK.flac", "three")
    put("in/later/Talk.wav", "four")
    night("in", "in/later", beside=True)  # at other places in the tree
    assert texts("in") == ["four", "one", "three", "two"]
    assert night(beside=True).done == {}


def test_names_stay_short_on_a_disk_that_tells_them_apart(night: Sleepless) -> None:
    for name in ("Talk.wav", "talk.wav", "réunion.wav", f"{NFD_NAME}.wav"):
        put(f"in/{name}", name)
    night()
    assert {path.name for path in Path("out").glob("*.txt")} == {
        *("Talk.txt", "talk.txt", "réunion.txt", f"{NFD_NAME}.txt")
    }


@pytest.fixture
def moved(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Transcribes Talk.wav and talk.wav, then moves the outputs to a disk that confuses these names."""

    def move(one: str, two: str) -> None:
        put("in/Talk.wav", one)
        put("in/talk.wav", two)
        night()
        for kind in ("txt", "srt"):
            shutil.move(f"out/talk.{kind}", f"out/Talk.{kind}")
        InexactDisk(Path("out"), EXFAT, monkeypatch)

    return move


def test_a_text_that_was_lost_before_is_done_again(night: Sleepless, moved: Callable[[str, str], None]) -> None:
    moved("one", "two")
    result = night()
    assert result.done == {"Talk.wav": "no txt, srt of it yet"}
    (warning,) = result.warnings
    assert "in/Talk.wav: its text was overwritten by that of " in warning
    assert warning.endswith("it is transcribed again, and its outputs are now named Talk.wav.*")
    assert texts() == ["one", "two"]
    result = night()
    assert (result.done, result.warnings) == ({}, [])


def test_a_text_that_was_lost_before_is_left_by_a_run_that_does_not_do_its_recording(
    night: Sleepless, moved: Callable[[str, str], None]
) -> None:
    moved("one", "two")
    put("other/b.wav", "three")
    assert night("other").warnings == []
    assert night().done == {"Talk.wav": "no txt, srt of it yet"}


@pytest.mark.parametrize("is_exact", [True, False])
def test_names_that_were_given_before_anything_was_written(
    night: Sleepless, monkeypatch: pytest.MonkeyPatch, is_exact: bool
) -> None:
    """As after an interrupted first run of an earlier version."""
    put("in/Talk.wav", "one")
    put("in/talk.wav", "two")
    info = run_info()
    with open_store(Path("out"), beside=False, wait=False, tell=print) as store:
        store.jobs(scan(["in"], None).sources, PlanRules(info.fingerprint, ("txt", "srt")))
    if not is_exact:
        InexactDisk(Path("out"), EXFAT, monkeypatch)
    assert night().warnings == []
    names = {"Talk.txt", "talk.txt" if is_exact else "talk.wav.txt"}
    assert {path.name for path in Path("out").glob("*.txt")} == names
    assert texts() == ["one", "two"]


def test_equal_texts_are_not_lost_until_they_differ(night: Sleepless, moved: Callable[[str, str], None]) -> None:
    moved("same", "same")
    assert night().done == {}
    put("in/Talk.wav", "other")
    night()
    night()
    assert texts() == ["other", "same"]
    assert night().done == {}


def test_an_edited_text_is_not_a_lost_one(night: Sleepless, moved: Callable[[str, str], None]) -> None:
    moved("one", "two")
    for kind in ("txt", "srt"):
        Path(f"out/Talk.{kind}").write_text("corrected")
    assert night().done == {}


def test_what_was_written_is_looked_at_again(night: Sleepless, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk whose treatment of names no probe reveals, two recordings are written at the same time."""
    for name, text in (("会.wav", "one"), ("议.wav", "two"), ("a.wav", "three")):
        put(f"in/{name}", text)
    Path("out").mkdir()
    InexactDisk(Path("out"), NO_UNICODE, monkeypatch)
    info = run_info()
    with open_store(Path("out"), beside=False, wait=False, tell=print) as store:
        jobs = store.jobs(scan(["in"], None).sources, PlanRules(info.fingerprint, ("txt", "srt")))
        under_way = []
        for job in jobs:
            sink, content = FileSink(store, job, Settings(), info), InputContent.of(job.source.path)
            result = transcript(job.source.path.read_text())
            encoded = encode_formats(result, Settings())
            sink.start()
            under_way.append((sink, sink.place(content, hashes_of(encoded)), encoded, result, content))
        for sink, writes, encoded, result, content in under_way:
            write_outputs(writes, encoded)
            sink.finish(TranscriptSummary.of(result), content, {})
        ((status, error),) = store.look_again(info)
    assert status == "done"
    assert error.where == str(Path("in/会.wav").resolve())
    assert "its text was overwritten by that of " in error.what
    assert error.hint is not None
    assert [line["status"] for line in manifest() if str(line["path"]).endswith("会.wav")] == ["done", "failed"]
    assert night().done == {"会.wav": "failed before"}
    assert texts() == ["one", "three", "two"]


def test_an_exfat_disk(tmp_path: Path, run: Run) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for name in ("Talk.wav", "talk.wav", "a.wav", "10:30.wav"):
        shutil.copyfile(NANO / "words-with-pauses.flac", recordings / name)
    with exfat(tmp_path) as disk:
        command = ("transcribe", recordings, "-o", disk / "out", "-f", "txt", "--model", NANO, "--json-summary")
        done = run(*command)
        assert (done.returncode, json.loads(done.stdout)["done"]) == (1, 3)
        assert "10:30.wav: no output can be named 10:30.txt: the file system does not allow : in names" in done.stderr
        assert {path.name for path in (disk / "out").glob("*.txt")} == {"Talk.txt", "talk.wav.txt", "a.txt"}
        (recordings / "10:30.wav").unlink()
        again = run(*command)
        assert (again.returncode, json.loads(again.stdout)["skipped"]) == (0, 3)
