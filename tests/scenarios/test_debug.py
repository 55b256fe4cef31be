"""--debug: the same processes as usual, and the first error ends the run with its traceback, wherever it occurred."""

from __future__ import annotations

import os
import shutil
import textwrap
from pathlib import Path

import pytest

from tests.conftest import NANO, ROOT
from tests.support.command import Run


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("with", "without"):
        shutil.copyfile(NANO / f"words-{name}-pauses.flac", folder / f"{name}.flac")
    return folder


def tampered(folder: Path, code: str) -> dict[str, str]:
    """Return an environment in which every Python process begins with `code`."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"}


def test_the_run_itself_is_the_same_and_tells_of_its_processes(run: Run, recordings: Path, tmp_path: Path) -> None:
    done = run("transcribe", "in", "--model", NANO, "--debug")
    assert done.returncode == 0, done.stderr
    assert "funasr_cli.pool.worker_supervisor: worker process started" in done.stderr
    assert "funasr_cli.pool.worker: job 1, lane 0: in/without.flac" in done.stderr
    assert sorted(path.name for path in (tmp_path / "transcripts").glob("*.txt")) == ["with.txt", "without.txt"]


def test_without_it_the_log_is_silent(run: Run, recordings: Path) -> None:
    assert "funasr_cli." not in run("transcribe", "in", "--model", NANO).stderr


def test_a_recording_that_fails_ends_the_run_with_the_traceback_of_its_worker(run: Run, recordings: Path) -> None:
    (recordings / "bad.wav").write_bytes(b"no audio" * 100_000)
    done = run("transcribe", "in", "--model", NANO, "--debug")
    assert done.returncode == 1
    assert "audio/container.py" in done.stderr  # raised in another process
    assert "pool/worker.py" in done.stderr
    assert "The above exception was the direct cause of the following exception" in done.stderr
    last = done.stderr.splitlines()
    assert any(": in/bad.wav: not a readable audio or video file" in line for line in last)


def test_an_error_of_a_device_process_shows_where_it_was_raised(run: Run, recordings: Path, tmp_path: Path) -> None:
    breaks = """
        import funasr_cli.executors.onnx as onnx
        def run_that_breaks(self, inputs):
            raise ValueError("a defect of the device's side")
        onnx.OnnxExecutor.run = run_that_breaks
    """
    done = run("transcribe", "in", "--model", NANO, "--debug", env=tampered(tmp_path / "code", breaks))
    assert done.returncode == 1
    assert "run_that_breaks" in done.stderr
    assert "ValueError: a defect of the device's side" in done.stderr
    assert "ModelError" in done.stderr


def test_a_process_that_dies_ends_the_run(run: Run, recordings: Path, tmp_path: Path) -> None:
    dies = """
        import os
        import funasr_cli.executors.onnx as onnx
        onnx.OnnxExecutor.run = lambda *_: os.abort()
    """
    done = run("transcribe", "in", "--model", NANO, "--debug", env=tampered(tmp_path / "code", dies))
    assert done.returncode == 1
    assert "a process of the run died: killed by SIGABRT" in done.stderr
