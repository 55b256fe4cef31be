"""The lock of an output folder ends with its process, whatever its file says."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from funasr_cli.errors import BusyError, MachineError
from funasr_cli.store.lock import folder_lock
from funasr_cli.system.deadline import Deadline

HOLD = (
    "import sys, time; from pathlib import Path; from funasr_cli.store.lock import folder_lock\n"
    "with folder_lock(Path(sys.argv[1]), wait=False, tell=print):\n    print('held', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "out" / ".funasr-cli").mkdir(parents=True)
    return tmp_path / "out" / ".funasr-cli" / "lock"


def hold(lock: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_that_is_held_names_its_holder_and_one_of_a_dead_process_is_free(lock: Path) -> None:
    with hold(lock) as process:
        message = rf"out: another run is using this output folder: process {process.pid} on "
        with pytest.raises(BusyError, match=message), folder_lock(lock, wait=False, tell=print):
            pass
        process.kill()
        process.wait()
    with folder_lock(lock, wait=False, tell=print):
        assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_a_lock_is_waited_for_until_the_deadline(lock: Path) -> None:
    told: list[str] = []
    with hold(lock) as process:
        why = r"another run was still using this output folder at the deadline \(\+0s\)"
        message = rf"out: {why}: process {process.pid} on "
        with (
            pytest.raises(BusyError, match=message),
            folder_lock(lock, wait=True, tell=told.append, deadline=Deadline("+0s")),
        ):
            pass
        process.kill()
    assert len(told) == 1


def test_after_a_reboot_the_old_file_means_nothing(lock: Path) -> None:
    lock.write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": "yesterday"}))
    with folder_lock(lock, wait=False, tell=print):
        pass


def test_a_file_system_without_locks_is_told(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    message = r"(?s)the file system does not support locks.*on a local disk"
    with pytest.raises(MachineError, match=message), folder_lock(lock, wait=False, tell=print):
        pass


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    message = "cannot be written: No such file or directory"
    with pytest.raises(MachineError, match=message), folder_lock(tmp_path / "nowhere" / "lock", wait=False, tell=print):
        pass
