"""Runs that are killed, interrupted, or run at the same time: real processes, real signals, a real model."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.files import is_temporary
from tests.conftest import NANO
from tests.support.processes import wait_until

SILENT, SPOKEN = 28, 2


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """30 short recordings; only the last two have speech, so that the model takes little of the time."""
    folder = tmp_path / "in"
    folder.mkdir()
    speech, rate = soundfile.read(NANO / "words-with-pauses.flac", dtype="float32")
    for number in range(SILENT + SPOKEN):
        signal_ = speech[: rate * 2] if number >= SILENT else np.zeros(1000 + number, np.float32)
        soundfile.write(folder / f"{number:02}.wav", signal_, rate)
    return folder


DIES_IN_A_WRITE = """
import os, signal
left = [%d]
def fsync(descriptor):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
from funasr_cli.cli import main
main()
"""
"""The command, killed in its n-th write: the temporary file is complete, but not renamed yet."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a run over `in`; the test ends whatever is left of it."""
    started: list[subprocess.Popen[str]] = []

    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def start(
        *options: str, output: str = "out", dies_in: int | None = None, ignoring: Sequence[signal.Signals] = ()
    ) -> subprocess.Popen[str]:
        program = ["-m", "funasr_cli"] if dies_in is None else ["-c", DIES_IN_A_WRITE % dies_in]
        command = ["transcribe", "in", "-o", output, "-f", "txt,srt,json", "--model", str(NANO), *options]
        if dies_in is not None:
            command += ["--max-files", "1"]  # a single recording runs in one process
        process = subprocess.Popen(
            [sys.executable, *program, *command],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
            preexec_fn=lambda: [signal.signal(number, signal.SIG_IGN) for number in ignoring],
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def manifest(folder: Path) -> list[dict[str, object]]:
    path = folder / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not condition():
        time.sleep(0.001)


def lines(folder: Path) -> int:
    path = folder / "manifest.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def outputs(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "manifest.jsonl"
    }


def assert_complete(folder: Path, undisturbed: Path) -> None:
    assert outputs(folder) == outputs(undisturbed)
    assert len(outputs(folder)) == 3 * (SILENT + SPOKEN)
    assert not [path for path in folder.rglob("*") if is_temporary(path)]
    statuses = [(Path(str(line["path"])).name, line["status"]) for line in manifest(folder)]
    assert len(statuses) == len(set(statuses)) == SILENT + SPOKEN
    assert {status for _, status in statuses} == {"done", "empty"}


def test_a_run_killed_at_any_instant_is_finished_by_the_next(
    recordings: Path, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    assert start(output="undisturbed").wait() == 0
    out, rnd = tmp_path / "out", random.Random(1)
    for write in (1, 3, 5):  # each file is synced, and then its folder
        process = start(dies_in=write)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert any(map(is_temporary, out.iterdir()))
    for _ in range(5):
        process = start()
        goal = lines(out) + rnd.randint(0, 2)
        wait_for(lambda: lines(out) >= goal and out.exists(), process)  # noqa: B023
        time.sleep(rnd.choice([0.0, 0.005, 0.02, 0.3]))
        process.kill()
        process.communicate()
    assert start().wait() == 0
    assert_complete(out, tmp_path / "undisturbed")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_run_in_order_and_the_next_goes_on(
    recordings: Path, start: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: int, code: int
) -> None:
    speech, rate = soundfile.read(NANO / "words-with-pauses.flac")
    soundfile.write(recordings / "03.wav", np.tile(speech, 40), rate)  # takes seconds
    process = start()
    wait_for(lambda: lines(tmp_path / "out") >= 2, process)
    process.send_signal(number)
    _, messages = process.communicate()
    assert process.returncode == code
    assert f"interrupted by {signal.Signals(number).name}; finished transcripts are kept" in messages
    assert "Traceback" not in messages
    before = lines(tmp_path / "out")
    assert 2 <= before < SILENT + SPOKEN
    assert not [path for path in (tmp_path / "out").rglob("*") if is_temporary(path)]
    assert not list((tmp_path / "tmp").iterdir())
    assert start().wait() == 0
    assert lines(tmp_path / "out") == SILENT + SPOKEN


def test_a_signal_that_was_ignored_as_the_run_was_started_stays_ignored(
    recordings: Path, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """As nohup does, or a script that starts a background process."""
    ignored = [signal.SIGINT, signal.SIGHUP]
    process = start(ignoring=ignored)
    wait_for(lambda: lines(tmp_path / "out") >= 1, process)
    for number in ignored:
        process.send_signal(number)
    assert process.wait() == 0
    assert lines(tmp_path / "out") == SILENT + SPOKEN


IN_A_WINDOW = """
import hashlib, sys
from funasr_cli.executors.onnx import OnnxExecutor
def run(self, inputs):
    print("in a window", file=sys.stderr, flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # a call that keeps Python waiting, as a runtime's does
OnnxExecutor.run = run
from funasr_cli.cli import main
main()
"""


def test_a_second_signal_ends_the_run_at_once(recordings: Path, tmp_path: Path) -> None:
    shutil.copy(NANO / "words-with-pauses.flac", recordings / "00.wav")
    command = ["transcribe", "in/00.wav", "--model", str(NANO)]
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_WINDOW, *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while process.stderr.readline() != "in a window\n":
            assert process.poll() is None
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: process.poll() is not None or not is_pending(process.pid, signal.SIGTERM))
        assert process.wait() == 143
        assert "interrupted" not in process.stderr.read()


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Whether a signal was sent to a process and has not reached it."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


def test_of_two_runs_at_once_one_is_refused_and_one_may_wait(
    recordings: Path, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = start()
    assert first.stderr is not None
    first.stderr.readline()
    first.send_signal(signal.SIGSTOP)
    waiting, refused, late = start("--wait"), start(), start("--wait", "--deadline", "+0s")
    _, messages = refused.communicate()
    _, late_messages = late.communicate()
    assert waiting.stderr is not None
    told = waiting.stderr.readline()
    first.send_signal(signal.SIGCONT)
    assert refused.returncode == 6
    assert f"another run is using this output folder: process {first.pid} on " in messages
    assert late.returncode == 6
    assert "another run was still using this output folder at the deadline (+0s)" in late_messages
    assert (first.wait(), waiting.wait()) == (0, 0)
    assert f"waiting for another run to end: process {first.pid} on " in told
    assert "nothing to do: 30 already done" in waiting.communicate()[1]
    assert lines(tmp_path / "out") == SILENT + SPOKEN


def test_a_deadline_leaves_the_rest_for_next_time(
    recordings: Path, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start("--max-files", "4")
    assert process.communicate()[1].splitlines()[-1].startswith("4 of 30 files, ")
    assert process.returncode == 0
    process = start("--deadline", "+0s")
    messages = process.communicate()[1]
    assert messages.splitlines()[-1].startswith("0 of 26 files, 4 already done, 26 left for next time in 0:00:0")
    assert messages.count("left") == 1
    assert process.returncode == 0
    assert lines(tmp_path / "out") == 4
