"""Output to pipes, full disks and closed streams, with a real shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import NANO

Shell = Callable[..., subprocess.CompletedProcess[str]]

SPEECH = NANO / "words-with-pauses.flac"
FULL = "error: standard output cannot be written: No space left on device"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Runs a line of Bash in which `cli` is the program; `in` has three recordings."""
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "in" / f"{name}.flac").symlink_to(SPEECH)

    def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
        script = f'cli() {{ {sys.executable} -m funasr_cli "$@"; }}; N={NANO}; set -o pipefail; {line}'
        return subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            encoding=environment.get("PYTHONIOENCODING", "utf-8").replace("ascii", "utf-8"),  # a subset of it
            timeout=120,
            check=False,
        )

    return shell


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("cli transcribe in -o - --model $N | true", 141, ""),
        ("cli transcribe in --dry-run --model $N | true", 141, ""),
        ("cli models list | true", 141, ""),
        ("cli transcribe --help | true", 141, ""),
        ("cli transcribe in/a.flac -o - --model $N | head -c 1 >/dev/null", 0, ""),  # the reader took everything
        ("cli transcribe in -o - --model $N >/dev/full", 4, FULL),
        ("cli models list >/dev/full", 4, FULL),
        ("cli --help >/dev/full", 4, FULL),
        ("cli --version >/dev/full", 4, FULL),
        ("cli transcribe in -o - --model $N >&-", 4, "error: standard output cannot be written: Bad file descriptor"),
        ("cli models list >&-", 4, "error: standard output cannot be written: Bad file descriptor"),
        ("cli transcribe gone 2>/dev/full", 3, ""),
        ("cli transcribe gone 2>&-", 3, ""),
        ("cli transcribe - -o - <&-", 2, "error: stdin is closed"),
    ],
)
def test_what_cannot_be_printed_is_said_with_its_exit_code(shell: Shell, line: str, code: int, said: str) -> None:
    done = shell(line)
    assert (done.returncode, done.stderr.rstrip("\n")) == (code, said)


def test_a_reader_that_goes_away_ends_the_run_at_once(shell: Shell) -> None:
    done = shell("cli transcribe in -o - --model $N --progress plain | true")
    assert done.returncode == 141
    assert "0 of 3 files" in done.stderr.splitlines()[-1]
    assert "failed" not in done.stderr


def test_a_summary_that_cannot_be_printed_is_not_a_run_that_failed(shell: Shell, tmp_path: Path) -> None:
    done = shell("cli transcribe in --json-summary --model $N >/dev/full")
    assert done.returncode == 5
    assert f"{FULL}\n  The transcripts and the record are written; only the summary is missing." in done.stderr
    assert len(list((tmp_path / "transcripts").glob("*.srt"))) == 3
    assert shell("cli transcribe in --json-summary --model $N | true").returncode == 141


def test_an_error_is_not_hidden_behind_a_summary_that_cannot_be_printed(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    done = shell("cli transcribe in -o out --json-summary --model $N >/dev/full")
    assert done.returncode == 4
    assert "the output folder cannot be created" in done.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&- <&-", "2>/dev/full", "--progress rich 2>/dev/full"])
def test_a_run_needs_nobody_to_talk_to(shell: Shell, tmp_path: Path, closed: str) -> None:
    assert shell(f"cli transcribe in --model $N -f txt {closed}").returncode == 0
    assert {path.name for path in (tmp_path / "transcripts").glob("*.txt")} == {"a.txt", "b.txt", "c.txt"}
    assert (tmp_path / "transcripts/.funasr-cli/state.sqlite").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("encoding", ["latin-1", "gbk", "ascii"])
def test_what_a_terminal_has_no_characters_for_is_escaped(shell: Shell, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "words").write_text("發展\n發展\n")
    (tmp_path / "in" / "會é😀.flac").symlink_to(SPEECH)
    for line in ("cli hotwords check words", "cli transcribe in --dry-run --model $N", "cli config show --output 會é"):
        done = shell(line, PYTHONIOENCODING=encoding)
        assert done.returncode == ("check" in line), done.stderr
        assert "a bug in funasr-cli" not in done.stderr


def test_json_stays_json_in_every_encoding(shell: Shell, tmp_path: Path) -> None:
    done = shell("cli models list --json", PYTHONIOENCODING="latin-1", FUNASR_CLI_MODELS=f"{tmp_path}/會é😀")
    assert json.loads(done.stdout)["store"] == f"{tmp_path}/會é😀"


def test_a_terminal_without_an_ellipsis_is_not_flooded_with_escapes(shell: Shell) -> None:
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TERM": "xterm", "COLUMNS": "70"}
    done = shell('script -qec "$(declare -f cli); cli transcribe in --model $N -f txt" /dev/null', **plain)
    assert "\\u" not in done.stdout
