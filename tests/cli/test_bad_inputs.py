"""A folder with everything that can be wrong with a recording: each fails alone, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.files import printable
from funasr_cli.json_paths import path_text
from tests.audio.test_reader import encode, silent_film, tone
from tests.conftest import NANO
from tests.support.command import Run

pytestmark = pytest.mark.usefixtures("embedded")

QUIET = np.zeros((16_000 * 3, 1), np.float32)


def cut(path: Path, share: float = 0.5) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def truncated(path: Path, codec: str = "") -> None:
    long = tone(48_000, seconds=12.0)
    if codec:
        encode(path, codec, long, 48_000)
    else:
        soundfile.write(path, long, 48_000)
    cut(path)


def nan(path: Path) -> None:
    signal = QUIET.copy()
    signal[5:10] = np.nan
    soundfile.write(path, signal, 16_000, subtype="FLOAT")


def from_the_future(path: Path) -> None:
    soundfile.write(path, QUIET, 16_000)
    os.utime(path, (9e9, 9e9))


CASES = {
    "zero-bytes.wav": (Path.touch, "failed", "the file is empty"),
    "text.wav": (lambda path: path.write_text("no sound\n" * 99), "failed", "not a readable audio or video file"),
    "truncated.wav": (truncated, "ok", "cut off: the file is shorter than its header says"),
    "truncated.mp3": (lambda path: truncated(path, "libmp3lame"), "ok", ""),
    "truncated.mp4": (lambda path: truncated(path, "aac"), "failed", "not a readable audio or video file"),
    "film.mp4": (silent_film, "failed", "has no audio track"),
    "vanished.wav": (lambda path: path.symlink_to("nowhere.wav"), "failed", "cannot be read: No such file"),
    "self.wav": (lambda path: path.symlink_to(path), "failed", "cannot be read: Too many levels of symbolic links"),
    "folder.wav": (Path.mkdir, None, ""),
    "pipe.wav": (os.mkfifo, "failed", "not a regular file"),
    "nan.wav": (nan, "empty", "5 samples are NaN or infinite"),
    "one-sample.wav": (lambda path: soundfile.write(path, QUIET[:1], 16_000), "empty", ""),
    "no-sample.wav": (lambda path: soundfile.write(path, QUIET[:0], 16_000), "failed", "audio"),
    "silence.wav": (lambda path: soundfile.write(path, QUIET, 16_000), "empty", ""),
    "8-khz.wav": (lambda path: soundfile.write(path, QUIET, 8_000), "empty", ""),
    "192-khz.wav": (lambda path: soundfile.write(path, QUIET, 192_000), "empty", ""),
    "six-channels.wav": (lambda path: soundfile.write(path, np.repeat(QUIET, 6, 1), 48_000), "empty", ""),
    os.fsdecode(b"\xb2\xe2\xca\xd4.wav"): (lambda path: soundfile.write(os.fsencode(path), QUIET, 16_000), "empty", ""),
    "new\nline.wav": (lambda path: soundfile.write(path, QUIET, 16_000), "empty", ""),
    "-dash.wav": (lambda path: soundfile.write(path, QUIET, 16_000), "empty", ""),
    "circle": (lambda path: path.symlink_to(path.parent), None, ""),
    "from-the-future.wav": (
        lambda path: (soundfile.write(path, QUIET, 16_000), os.utime(path, (9e9, 9e9))),
        "empty",
        "",
    ),
}


Night = tuple[subprocess.CompletedProcess[str], dict[str, dict[str, object]]]


@pytest.fixture(scope="module")
def night(
    tmp_path_factory: pytest.TempPathFactory,
) -> Night:
    """One run over all of them; its result, and its manifest by name."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "in").mkdir()
    for name, (make, _, _) in CASES.items():
        make(folder / "in" / name)
    (folder / "in").chmod(0o555)
    command = [sys.executable, "-m", "funasr_cli", "transcribe", "in", "-f", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    (folder / "in").chmod(0o755)
    lines = (folder / "transcripts/manifest.jsonl").read_text(encoding="utf-8").splitlines()
    entries = {str(entry["path"]).rsplit("/", 1)[-1]: entry for entry in map(json.loads, lines)}
    return done, entries


@pytest.mark.parametrize("name", CASES, ids=printable)
def test_each_fails_alone_or_succeeds(night: Night, name: str) -> None:
    done, entries = night
    _, status, message = CASES[name]
    entry = entries.get(path_text(f"/{name}").rsplit("/", 1)[-1])
    if status is None:
        assert entry is None
        return
    assert entry is not None
    if status == "failed":
        assert entry["status"] == "failed"
        assert message in str(entry["error"])
        assert message in done.stderr
    else:
        assert entry["status"] in ({"done", "empty"} if status == "ok" else {status})
        assert message in " ".join(entry["warnings"])  # type: ignore[arg-type]


def test_the_run_says_that_some_failed_and_shows_no_traceback(
    night: Night,
) -> None:
    done, entries = night
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(entries) == sum(status is not None for _, status, _ in CASES.values())


@pytest.fixture
def small_disk(tmp_path: Path) -> object:
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("this machine does not allow mounts")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_tears_nothing_and_the_next_run_finishes(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(20):
        soundfile.write(tmp_path / "in" / f"{number:02}.wav", QUIET[: 1000 + number], 16_000)
    command = [sys.executable, "-m", "funasr_cli", "transcribe", "in", "-f", "json", "-o", str(small_disk / "out")]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    free = os.statvfs(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_bsize - 80_000))
    done = run()
    assert done.returncode in (1, 5), done.stderr
    assert "No space left on device" in done.stderr or "full" in done.stderr
    assert "Traceback" not in done.stderr
    for path in (small_disk / "out").glob("*.json"):
        json.loads(path.read_text())
    assert not list((small_disk / "out").glob(".*.funasr-tmp"))
    ballast.unlink()
    done = run()
    assert done.returncode == 0, done.stderr
    assert len(list((small_disk / "out").glob("*.json"))) == 20
    statuses = [json.loads(line)["status"] for line in (small_disk / "out/manifest.jsonl").read_text().splitlines()]
    assert statuses.count("empty") == 20


def test_a_full_disk_is_named_where_not_even_a_lock_fits(small_disk: Path, run: Run) -> None:
    (small_disk / "out" / ".funasr-cli").mkdir(parents=True)
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_bsize))
    for folder in ("out", "new"):
        done = run("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, "-o", small_disk / folder)
        assert done.returncode == 4, done.stderr
        assert f"error: {small_disk}/{folder}" in done.stderr
        assert "No space left on device" in done.stderr
        assert "a bug in funasr-cli" not in done.stderr


def test_ten_thousand_files_in_one_folder_are_planned(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(10_000):
        (tmp_path / "in" / f"{number}.wav").touch()
    command = [sys.executable, "-m", "funasr_cli", "transcribe", "in", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.count(": new\n") == 10_000
