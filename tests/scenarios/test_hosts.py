"""Runs on hosts that lack basic resources: a current folder, a home, free space, files or memory."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile

from tests.conftest import NANO

TRANSCRIBE = ("transcribe", "--model", NANO, "-f", "txt")

PR_CAPBSET_DROP = 24
OVERRIDES = (1, 2)
"""Root's capabilities to override permissions, from Linux's capability.h."""

Host = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two recordings, so that a run starts processes."""
    folder = tmp_path / "in"
    folder.mkdir()
    speech, rate = soundfile.read(NANO / "words-with-pauses.flac")
    for number in range(2):
        soundfile.write(folder / f"{number}.wav", speech[number * 2 * rate :][: 2 * rate], rate)
    return folder


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """The command in the folder `cwd`; `prepare` is called there first, as a user to whom permissions apply."""
    (tmp_path / "cwd").mkdir()

    def run(
        *arguments: str | Path, prepare: Callable[[], object] = lambda: None, stdin: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        def begin() -> None:
            prepare()
            for capability in OVERRIDES:
                ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

        with (stdin or Path("/dev/null")).open("rb") as file:
            done = subprocess.run(
                [sys.executable, "-m", "funasr_cli", *map(str, arguments)],
                cwd=tmp_path / "cwd",
                stdin=file,
                capture_output=True,
                text=True,
                check=False,
                preexec_fn=begin,
                env={**os.environ, **more},
            )
        assert "Traceback" not in done.stderr
        assert "bug" not in done.stderr
        return done

    yield run
    for path in (tmp_path / "cwd", tmp_path / "home"):
        if path.exists():
            path.chmod(0o700)


def forbid() -> None:
    Path().chmod(0)


def remove() -> None:
    Path.cwd().rmdir()


@pytest.mark.parametrize(
    ("prepare", "why"), [(forbid, "cannot be entered: Permission denied"), (remove, "was removed")]
)
def test_a_current_folder_that_is_of_no_use_is_needed_by_relative_paths_alone(
    recordings: Path, tmp_path: Path, host: Host, prepare: Callable[[], None], why: str
) -> None:
    done = host(*TRANSCRIBE, recordings, "-o", tmp_path / "out", prepare=prepare)
    assert (done.returncode, len(list((tmp_path / "out").glob("*.txt")))) == (0, 2)
    (tmp_path / "cwd").mkdir(exist_ok=True)
    for paths in (["in", "-o", tmp_path / "out"], [recordings]):
        done = host(*TRANSCRIBE, *paths, prepare=prepare)
        assert done.returncode == 4
        assert f"the current folder {why}\n" in done.stderr
        assert "cd" in done.stderr
        (tmp_path / "cwd").mkdir(exist_ok=True)
    done = host("doctor", "--model", NANO, prepare=prepare)
    assert f"the current folder {why}: relative paths do not work" in done.stdout
    assert done.stdout.endswith(" -o DIR\n")


def test_the_home_of_another_user_is_named_with_the_cure(recordings: Path, tmp_path: Path, host: Host) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0)
    elsewhere = {"HOME": str(home), "XDG_CACHE_HOME": "", "FUNASR_CLI_MODELS": ""}
    done = host("transcribe", recordings / "0.wav", "-o", tmp_path / "out", **elsewhere)
    assert done.returncode == 4
    assert f"{home}/.cache/funasr-cli/models/whisper-base: cannot be read: Permission denied" in done.stderr
    assert "export FUNASR_CLI_MODELS=DIR" in done.stderr
    done = host(*TRANSCRIBE, recordings, "-o", tmp_path / "out", **elsewhere)
    assert done.returncode == 0


def test_a_folder_for_temporary_files_may_have_a_long_path(recordings: Path, tmp_path: Path, host: Host) -> None:
    long = tmp_path / ("t" * 100)
    long.mkdir()
    done = host(*TRANSCRIBE, recordings, "-o", tmp_path / "out", TMPDIR=str(long))
    assert (done.returncode, list(long.iterdir())) == (0, [])
    done = host(*TRANSCRIBE, "-", "-o", "-", stdin=recordings / "0.wav", TMPDIR=str(long))
    assert (done.returncode, list(long.iterdir())) == (0, [])


READ_ONLY = """
mount -t tmpfs tmpfs /mnt && mount -o remount,ro,bind / && mount --bind /dev/shm /dev/shm || exit 77
mount -o remount,ro,bind /dev/shm || exit 77
cd /
"$@" < "$STDIN"
status=$?
find /mnt -name "*.txt" | wc -l
exit $status
"""


def test_a_host_on_which_only_the_output_folder_can_be_written(recordings: Path) -> None:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        shell = ["unshare", "--mount", "--propagation", "private", "sh", "-c", READ_ONLY, "sh"]
        done = subprocess.run(
            [*shell, sys.executable, "-m", "funasr_cli", *map(str, arguments)],
            env={**os.environ, "TMPDIR": "/tmp", "STDIN": str(recordings / "0.wav")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 77 or done.stderr.startswith("unshare:"):
            pytest.skip(f"needs mounts: {done.stderr}")
        return done

    done = run(*TRANSCRIBE, recordings, "-o", "/mnt/out")
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
    done = run("doctor", "--model", NANO, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["next"].endswith(" -o DIR")
    done = run(*TRANSCRIBE, "-", "-o", "-")
    assert done.returncode == 4
    assert "temporary file that stdin needs" in done.stderr
    assert "export TMPDIR=DIR" in done.stderr


@pytest.mark.parametrize(
    ("limit", "value", "cure"),
    [
        (resource.RLIMIT_NOFILE, 12, "ulimit -n 1024"),
        (resource.RLIMIT_NOFILE, 26, "ulimit -n 1024"),
        (resource.RLIMIT_AS, 1_000_000 << 10, "ulimit -v unlimited"),
    ],
)
def test_what_is_limited_is_named_with_the_cure(
    recordings: Path, tmp_path: Path, host: Host, limit: int, value: int, cure: str
) -> None:
    def prepare() -> None:
        resource.setrlimit(limit, (value, value))

    done = host(*TRANSCRIBE, recordings, "-o", tmp_path / "out", prepare=prepare)
    assert done.returncode == 4
    assert cure in done.stderr
    if value > 12:  # with fewer files, even the doctor fails
        done = host("doctor", "--model", NANO, prepare=prepare)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (4, f"next: {cure}")
