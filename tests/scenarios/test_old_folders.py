"""Output folders of earlier versions: every later version has nothing to do in them.

tests/assets/old/README.md says how they were made. Their path here differs from the original one, as after a move of
the whole archive.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[1] / "assets"
OLD, NANO = ASSETS / "old", ASSETS / "nano"


@dataclass(frozen=True)
class Case:
    """An old output folder, the path of the recordings on the command line, and the options of the old run."""

    folder: str
    recordings: str = "recordings"
    options: tuple[str, ...] = ()


DEFAULTS = Case("defaults")
HOTWORDS_SPLIT = Case(
    "hotwords-split",
    options=("--hotwords", "words.txt", "--channels", "split", "-f", "txt,srt,vtt,json,tsv"),
)
SYMLINK = Case("symlink", "archive")
BESIDE = Case("beside-record", "beside", ("--beside",))
CASES = (DEFAULTS, HOTWORDS_SPLIT, SYMLINK, BESIDE)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the old folders, with new inodes and times."""
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    (folder / "archive").symlink_to("recordings")
    shutil.copyfile(folder / "recordings" / "meeting.flac", folder / "beside" / "meeting.flac")
    return folder


def transcribe(old: Path, case: Case, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "funasr_cli", "transcribe", case.recordings, "-o", case.folder]
    return subprocess.run(
        [*command, "--model", str(NANO), *case.options, *more],
        cwd=old,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".funasr-cli" not in path.parts
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_nothing_is_done_again_in_a_folder_that_was_moved(old: Path, case: Case) -> None:
    before = contents(old)
    count = 1 if case is BESIDE else 2
    done = transcribe(old, case)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, f"nothing to do: {count} already done")
    assert contents(old) == before
    again = transcribe(old, case)
    assert again.stderr.splitlines()[-1] == f"nothing to do: {count} already done"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_nothing_is_done_again_by_the_looks_of_the_files_alone(old: Path, case: Case) -> None:
    """The state gets the current paths, sizes and times of the recordings; then their bytes change."""
    with closing(sqlite3.connect(old / case.folder / ".funasr-cli" / "state.sqlite")) as state, state:
        for ident, relative in state.execute("SELECT id, relative FROM input").fetchall():
            path = old / case.recordings / os.fsdecode(relative)
            looks = path.stat()
            state.execute(
                "UPDATE input SET path = ?, size = ?, mtime_ns = ?, inode = ? WHERE id = ?",
                (os.fsencode(path), looks.st_size, looks.st_mtime_ns, looks.st_ino, ident),
            )
            path.write_bytes(bytes(looks.st_size))  # whoever hashes the file finds other content
            os.utime(path, ns=(looks.st_atime_ns, looks.st_mtime_ns))
        for (key,) in state.execute("SELECT path FROM output").fetchall():
            if os.fsdecode(key).startswith("/"):
                beside = old / case.recordings / Path(os.fsdecode(key)).name
                state.execute("UPDATE output SET path = ? WHERE path = ?", (os.fsencode(beside), key))
    done = transcribe(old, case)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        0,
        f"nothing to do: {1 if case is BESIDE else 2} already done",
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_the_comparison_is_not_blind(old: Path, case: Case) -> None:
    done = transcribe(old, case, "--txt-layout", "plain", "--dry-run")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["do"] * (1 if case is BESIDE else 2)
    assert all(line.endswith("changed: layout") for line in done.stdout.splitlines())
