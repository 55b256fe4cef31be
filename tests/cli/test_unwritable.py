"""Recordings whose outputs cannot be written cost no work, and the others are done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import NANO
from tests.support.command import Run
from tests.support.disks import mounted_twice


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two folders with one recording each; the first folder becomes read-only."""
    for name in ("locked/a.wav", "locked/b.wav", "open/a.wav"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(NANO / "words-with-pauses.flac", path)
    return tmp_path / "in"


def manifest(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def test_beside_in_a_read_only_folder(tmp_path: Path, recordings: Path, run: Run) -> None:
    command = ("transcribe", "in", "--beside", "-o", "state", "-f", "txt", "--model", NANO, "--json-summary")
    with mounted_twice(recordings / "locked", recordings / "locked", read_only=True):
        done = run(*command)
        summary = json.loads(done.stdout)
        assert (done.returncode, summary["done"], summary["failed"], summary["failed_before"]) == (1, 1, 2, 0)
        assert f"failed: 2 recordings: {recordings}/locked: cannot be written to: Read-only file system" in done.stderr
        assert "omit --beside and choose another folder with -o DIR" in done.stderr
        assert (recordings / "open" / "a.txt").exists()
        failed = [line for line in manifest(tmp_path / "state") if line["status"] == "failed"]
        assert [line["seconds"] for line in failed] == [{}, {}]

        again = run(*command)
        summary = json.loads(again.stdout)
        assert (again.returncode, summary["skipped"], summary["failed"], summary["failed_before"]) == (1, 1, 2, 2)
        assert "failed again: 2 recordings" in again.stderr
    cured = run(*command)
    assert (cured.returncode, json.loads(cured.stdout)["done"]) == (0, 2)


def test_a_name_that_is_too_long(tmp_path: Path, run: Run) -> None:
    name = "n" * 251 + ".wav"
    shutil.copyfile(NANO / "words-with-pauses.flac", tmp_path / name)
    done = run("transcribe", name, "-f", "txt,json", "--model", NANO)
    assert done.returncode == 1
    assert "the name has 256 bytes, too many for the file system" in done.stderr
    assert "No such file" not in done.stderr
    assert run("transcribe", name, "-f", "txt", "--model", NANO).returncode == 0


def test_an_output_folder_that_is_a_dead_link(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.wav").write_bytes(b"not looked at")
    (tmp_path / "out").symlink_to("unmounted")
    done = run("transcribe", "a.wav", "-o", "out", "--model", NANO)
    assert done.returncode == 4
    assert f"{tmp_path}/out is a link to unmounted, which does not exist" in done.stderr
    assert "with -o DIR" in done.stderr
    beside = run("transcribe", "a.wav", "--beside", "-o", "out", "--model", NANO)
    assert "With --beside, state and manifest are still kept there." in beside.stderr
