"""A dying process costs at most what it was working on: real runs, real processes, real signals."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.files import is_temporary
from tests.conftest import NANO, ROOT
from tests.support.processes import descendants, named, wait_until

RATE = 16_000
WORKER, DEVICE = "funasr-worker", "funasr-device"


@dataclass
class Started:
    """A run in the background."""

    process: subprocess.Popen[bytes]
    log: Path

    def children(self, name: str) -> list[int]:
        return named(self.process.pid, name)

    def wait(self) -> int:
        """Return the exit code. If the run does not end, its processes print their stacks."""
        try:
            return self.process.wait(120)
        except subprocess.TimeoutExpired:
            for pid in [self.process.pid, *descendants(self.process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGUSR1)
                time.sleep(0.2)
            raise AssertionError(f"it does not end: {self.said}") from None

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


TELLING = "import faulthandler, signal; faulthandler.register(signal.SIGUSR1)\n"

Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a run over `in`; fails if processes of a run are left at the end of the test."""
    runs: list[Started] = []
    shared = set(Path("/dev/shm").iterdir())

    def start(*options: str, output: str = "out", tampered: str = "") -> Started:
        """Start a run; every process of it runs the code `tampered` first."""
        command = [sys.executable, "-m", "funasr_cli", "transcribe", "in", "-o", output, "-f", "txt,srt,json"]
        log, code = tmp_path / f"log-{len(runs)}", tmp_path / f"code-{len(runs)}"
        code.mkdir()
        (code / "sitecustomize.py").write_text(TELLING + textwrap.dedent(tampered))
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, "--model", str(NANO), "--workers", "2", *options],
                cwd=tmp_path,
                stderr=file,
                env={**os.environ, "PYTHONPATH": f"{code}:{ROOT}"},
                start_new_session=True,
            )
        runs.append(Started(process, log))
        return runs[-1]

    yield start
    families = [(run, descendants(run.process.pid)) for run in runs]
    for run, _ in families:
        run.process.kill()
        run.process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for _, family in families for pid in family))
    assert set(Path("/dev/shm").iterdir()) == shared
    assert not [path for path in tmp_path.rglob("*") if is_temporary(path)]


@pytest.fixture
def speech() -> np.ndarray:
    samples, _ = soundfile.read(NANO / "words-with-pauses.flac", dtype="float32")
    return np.asarray(samples)


def write(folder: Path, name: str, speech: np.ndarray, seconds: float, at: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    turned = np.roll(speech, -at)
    soundfile.write(folder / name, np.resize(turned, round(seconds * RATE)), RATE)


def results(folder: Path) -> dict[str, bytes]:
    hidden = ("manifest.jsonl",)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in hidden}


def statuses(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        found.setdefault(Path(entry["path"]).name, []).append(entry["status"])
    return found


def lines(folder: Path) -> int:
    path = folder / "manifest.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill(pids: list[int], rnd: random.Random) -> bool:
    """Kill one of the processes, if there is one."""
    if not pids:
        return False
    try:
        os.kill(rnd.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


SLOWLY = """
import time
from funasr_cli.executors.onnx import OnnxExecutor
at_once = OnnxExecutor.run
def run(self, inputs):
    time.sleep({})
    return at_once(self, inputs)
OnnxExecutor.run = run
"""
"""Each window takes this many seconds longer, to leave time for killing many processes."""


@pytest.mark.parametrize(
    ("short", "long", "workers", "devices", "parents", "seconds"),
    [
        pytest.param(40, 240.0, 6, 2, 1, 0.1, id="small"),
        pytest.param(200, 3600.0, 20, 5, 3, 0.02, id="large", marks=pytest.mark.slow),
    ],
)
def test_killing_at_random_changes_nothing(
    start: Start,
    speech: np.ndarray,
    tmp_path: Path,
    short: int,
    long: float,
    workers: int,
    devices: int,
    parents: int,
    seconds: float,
) -> None:
    rnd = random.Random(short)
    write(tmp_path / "in", "long.wav", speech, long)
    for number in range(short):
        write(tmp_path / "in", f"{number:03}.wav", speech, rnd.uniform(1, 5), at=number * 1000)
    assert start(output="undisturbed").wait() == 0
    victims = [WORKER] * workers + [DEVICE] * devices + ["parent"] * parents
    rnd.shuffle(victims)
    run = start(tampered=SLOWLY.format(seconds))
    for victim in victims:
        goal = lines(tmp_path / "out") + 1  # between two deaths a recording is done: each hits work
        while lines(tmp_path / "out") < goal and run.process.poll() is None and rnd.random() > 0.02:
            time.sleep(0.02)
        time.sleep(rnd.uniform(0.0, 0.3))
        if run.process.poll() is not None:
            break
        if victim == "parent":
            run.process.kill()
            run.process.wait()
            run = start(tampered=SLOWLY.format(seconds))
        else:
            wait_until(lambda: kill(run.children(victim), rnd) or run.process.poll() is not None)  # noqa: B023
    else:
        victims = []
    assert not victims, f"the run was over before {victims} could be killed"
    assert run.wait() == 0
    assert results(tmp_path / "out") == results(tmp_path / "undisturbed")
    assert statuses(tmp_path / "out") == statuses(tmp_path / "undisturbed")


@pytest.fixture
def recordings(tmp_path: Path, speech: np.ndarray) -> Path:
    """Six recordings; the first takes seconds."""
    for number, seconds in enumerate((240.0, 3.0, 3.0, 3.0, 3.0, 3.0)):
        write(tmp_path / "in", f"{number}.wav", speech, seconds, at=number * 1000)
    return tmp_path / "in"


def test_a_hung_device_process_is_replaced_and_its_windows_are_run_again(
    start: Start, recordings: Path, tmp_path: Path
) -> None:
    assert start(output="undisturbed").wait() == 0
    run = start("--window-timeout", "1")
    wait_until(lambda: lines(tmp_path / "out") > 0)
    (device,) = run.children(DEVICE)
    os.kill(device, signal.SIGSTOP)
    assert run.wait() == 0
    assert "the process of the CPU was lost (no answer within --window-timeout, 1 s)" in run.said
    assert results(tmp_path / "out") == results(tmp_path / "undisturbed")


def test_a_hung_worker_is_replaced_and_its_recordings_are_begun_again(
    start: Start, recordings: Path, tmp_path: Path
) -> None:
    assert start(output="undisturbed").wait() == 0
    run = start(
        tampered="import funasr_cli.pool.worker_supervisor as supervisor; supervisor.WORKER_STALL_TIMEOUT_S = 1.0"
    )
    wait_until(lambda: lines(tmp_path / "out") > 0)
    for worker in run.children(WORKER):
        os.kill(worker, signal.SIGSTOP)
    assert run.wait() == 0
    assert "is started again: its process was lost (no progress for 1 s)" in run.said
    assert results(tmp_path / "out") == results(tmp_path / "undisturbed")


def test_a_recording_that_workers_die_of_fails_and_the_others_are_done(
    start: Start, recordings: Path, tmp_path: Path
) -> None:
    run = start(
        tampered="""
        import os, signal
        from funasr_cli.audio.sndfile import SndfileRecording
        honest = SndfileRecording.__init__
        def init(self, path, *more):
            if path.name == "3.wav":
                os.kill(os.getpid(), signal.SIGSEGV)
            honest(self, path, *more)
        SndfileRecording.__init__ = init
        """
    )
    assert run.wait() == 1
    assert "the process that read it died again, 0 s into the recording: killed by SIGSEGV" in run.said
    expected = {f"{number}.wav": ["failed" if number == 3 else "done"] for number in range(6)}
    assert statuses(tmp_path / "out") == expected


def test_a_window_that_device_processes_die_of_fails_its_recording(
    start: Start, recordings: Path, speech: np.ndarray, tmp_path: Path
) -> None:
    write(recordings, "3.wav", speech, 2.0)  # the only recording with a window of this length
    run = start(
        "--vad",
        "off",
        tampered="""
        import os
        from funasr_cli.executors.onnx import OnnxExecutor
        honest = OnnxExecutor.run
        def run(self, inputs):
            if inputs["speech"].shape[1] == 33:
                os.abort()
            return honest(self, inputs)
        OnnxExecutor.run = run
        """,
    )
    assert run.wait() == 1
    assert "3.wav: one of its windows crashes device processes: killed by SIGABRT" in run.said
    expected = {f"{number}.wav": ["failed" if number == 3 else "done"] for number in range(6)}
    assert statuses(tmp_path / "out") == expected


def test_children_do_not_outlive_a_killed_parent(start: Start, recordings: Path, tmp_path: Path) -> None:
    run = start()
    wait_until(lambda: lines(tmp_path / "out") > 0)
    family = descendants(run.process.pid)
    assert {WORKER, DEVICE} <= set(family.values())
    run.process.kill()
    run.process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), seconds=5.0)
    assert start().wait() == 0  # the next run removes what a worker was writing


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_all_processes_is_heard_by_the_parent_alone(
    start: Start, recordings: Path, tmp_path: Path, number: int, code: int
) -> None:
    run = start()
    wait_until(lambda: lines(tmp_path / "out") >= 2)
    os.killpg(run.process.pid, number)
    assert run.wait() == code
    assert "lost" not in run.said
    assert "Traceback" not in run.said
    assert all(entries == ["done"] for entries in statuses(tmp_path / "out").values())
    assert start().wait() == 0
    assert len(statuses(tmp_path / "out")) == 6


def test_a_run_that_was_stopped_for_long_goes_on(start: Start, recordings: Path, tmp_path: Path) -> None:
    run = start("--window-timeout", "1")
    wait_until(lambda: lines(tmp_path / "out") > 0)
    os.killpg(run.process.pid, signal.SIGSTOP)
    time.sleep(2)
    os.killpg(run.process.pid, signal.SIGCONT)
    assert run.wait() == 0
    assert "lost" not in run.said


def test_a_model_that_cannot_be_loaded_ends_the_run(start: Start, recordings: Path, tmp_path: Path) -> None:
    run = start(
        tampered="""
        import funasr_cli.executors.onnx as onnx, funasr_cli.errors as errors
        def refuse(*_, **__):
            raise errors.ModelError("cannot be loaded")
        onnx.OnnxExecutor.__init__ = refuse
        """
    )
    assert run.wait() == 4
    assert run.said == "error: cannot be loaded\n"


def test_processes_that_die_as_they_start_end_the_run(start: Start, recordings: Path) -> None:
    run = start(
        tampered="""
        import os
        import funasr_cli.executors.onnx as onnx
        onnx.OnnxExecutor.__init__ = lambda *_, **__: os.abort()
        """
    )
    assert run.wait() == 4
    assert "processes die at startup: killed by SIGABRT" in run.said


def test_processes_that_are_killed_as_they_start_are_started_again(
    start: Start, recordings: Path, tmp_path: Path
) -> None:
    lives = [tmp_path / f"life-{number}" for number in range(4)]
    for life in lives:
        life.touch()
    run = start(
        tampered=f"""
        import os, signal
        from pathlib import Path
        import funasr_cli.pool.worker as worker
        load = worker.load_recognizer
        def killed(*arguments, **options):
            for life in sorted(Path({str(tmp_path)!r}).glob("life-*")):
                life.unlink(missing_ok=True)
                os.kill(os.getpid(), signal.SIGKILL)
            return load(*arguments, **options)
        worker.load_recognizer = killed
        """
    )
    assert run.wait() == 0
    assert not any(life.exists() for life in lives)
    assert len(statuses(tmp_path / "out")) == 6
