"""A newcomer's first commands: hints at the command that was meant, and one line for a successful run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NANO
from tests.support.command import Run, run_command

CLIP = NANO / "words-with-pauses.flac"
OTHER = NANO / "words-without-pauses.flac"


@pytest.fixture
def rec(tmp_path: Path) -> Path:
    """A folder `rec` with two recordings."""
    folder = tmp_path / "rec"
    folder.mkdir()
    for name in ("a.flac", "b.flac"):
        shutil.copy(CLIP, folder / name)
    return folder


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rec"], "Did you mean: funasr-cli transcribe rec?"),
        (["rec/a.flac", "-f", "srt"], "Did you mean: funasr-cli transcribe rec/a.flac -f srt?"),
        (["二 会.wav"], "Did you mean: funasr-cli transcribe '二 会.wav'?"),
        (["*.wav"], "Did you mean: funasr-cli transcribe '*.wav'?"),
        (["-"], "Did you mean: funasr-cli transcribe -?"),
        (["transcribr", "rec"], "Did you mean: funasr-cli transcribe rec?"),
        (["help"], "Did you mean: funasr-cli --help?"),
        (["docter"], "Did you mean: funasr-cli doctor?"),
        (["-o", "out", "rec"], "Did you mean: funasr-cli transcribe -o out rec?"),
        (["--language", "zh", "rec"], "Did you mean: funasr-cli transcribe --language zh rec?"),
        (["meetings"], "To transcribe: funasr-cli transcribe FOLDER|FILE"),
    ],
)
def test_without_a_command_the_one_that_was_meant_is_named(
    run: Run, rec: Path, arguments: list[str], hint: str
) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.endswith(f"\n  {hint}\n")


def test_a_variable_that_is_not_set_is_no_command(run: Run) -> None:
    done = run("")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: the argument after funasr-cli is empty")


def test_a_run_says_one_line_before_it_begins_and_more_if_asked(run: Run, rec: Path) -> None:
    first, *others = run("transcribe", "rec", "--model", NANO).stderr.splitlines()
    assert first.startswith("model nano, device cpu (int8")
    assert first.endswith("no Ascend NPU on this machine; 2 workers")
    assert len(others) == 1  # the line of totals
    told = run("transcribe", "rec", "--model", NANO, "--force", "-v").stderr.splitlines()
    assert told[0] == "model nano: asked for with --model"
    assert told[1].endswith(": no Ascend NPU on this machine")
    assert told[2].startswith("2 workers, ")


def test_a_quiet_run_tells_problems_and_nothing_else(run: Run, rec: Path) -> None:
    quiet = ("transcribe", "rec", "--model", NANO, "-f", "txt", "--progress", "plain")
    assert run(*quiet, "--quiet").stderr == ""
    (rec / "a.flac").rename(rec / "c.flac")
    assert run(*quiet, "-q", env=os.environ | {"FUNASR_CLI_VERBOSE": "0"}).stderr == ""
    (rec / "bad.wav").write_bytes(b"no sound")
    done = run(*quiet, env=os.environ | {"FUNASR_CLI_QUIET": "1"})
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stderr.splitlines() if line[0] != " "] == ["failed"]


def test_stdin_is_called_stdin_in_every_record_and_message(run: Run, tmp_path: Path) -> None:
    said = [run("transcribe", "-", "-f", "json", "--model", NANO, "-v", stdin=clip).stderr for clip in (CLIP, OTHER)]
    assert "stdin: outputs will be named stdin.2.*" in said[1]
    said.append(run("transcribe", "-", "--dry-run", "--model", NANO, stdin=CLIP).stdout)
    assert said[-1].startswith("render stdin: ")
    lines = (tmp_path / "transcripts/manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["stdin", "stdin"]
    outputs = [(tmp_path / f"transcripts/{name}.json").read_text() for name in ("stdin", "stdin.2")]
    assert [json.loads(output)["source"] for output in outputs] == ["stdin", "stdin"]
    said.append(run("transcribe", "-", "--model", NANO, stdin=Path(__file__)).stderr)
    assert not [text for text in (*said, *lines, *outputs) if "/proc/" in text or "/dev/" in text]


def test_stdin_is_read_where_there_is_no_proc(tmp_path: Path) -> None:
    script = 'umount -l /proc && exec "$@"'
    isolated = ["unshare", "-m", "--propagation", "private", "bash", "-c"]
    if subprocess.run([*isolated, script, "-", "true"], capture_output=True, check=False).returncode:
        pytest.skip("may not take away /proc here")
    runtime = [sys.executable, "-c", "import onnxruntime"]
    if subprocess.run([*isolated, script, "-", *runtime], capture_output=True, check=False).returncode:
        pytest.skip("this ONNX Runtime ends its process if there is no /proc/cpuinfo")
    command = [sys.executable, "-m", "funasr_cli", "transcribe", "-", "-o", "-", "--model", str(NANO)]
    with CLIP.open("rb") as file:
        done = subprocess.run(
            [*isolated, script, "-", *command], cwd=tmp_path, stdin=file, capture_output=True, timeout=120, check=False
        )
    assert (done.returncode, done.stdout.decode()) == (0, "收缩 大体 专心 报告 大于 结算\n"), done.stderr


def orphans(folder: Path, *options: str) -> list[str]:
    done = run_command(folder, "transcribe", "rec", "--list-orphans", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return [os.path.relpath(line, folder) for line in done.stdout.splitlines()]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_outputs_of_recordings_that_are_gone_are_told_and_listed(run: Run, tmp_path: Path, rec: Path) -> None:
    transcribe = ("transcribe", "rec", "--model", NANO, "-f", "txt,srt")
    assert "--list-orphans" not in run(*transcribe).stderr
    assert orphans(tmp_path) == []
    (rec / "a.flac").rename(rec / "c.flac")
    done = run(*transcribe)
    assert done.stderr.count("2 outputs belong to recordings no longer there (removed, moved or renamed); to") == 1
    assert "nothing to do: 2 already done" in (again := run(*transcribe).stderr)
    assert "2 outputs belong to recordings no longer there" in again
    before = contents(tmp_path)
    assert orphans(tmp_path) == ["transcripts/a.srt", "transcripts/a.txt"]
    assert contents(tmp_path) == before
    (tmp_path / "transcripts/a.srt").unlink()
    assert "1 output belongs to a recording no longer there" in run(*transcribe).stderr
    assert orphans(tmp_path) == ["transcripts/a.txt"]


def test_what_is_left_out_or_cannot_be_found_does_not_count_as_gone(run: Run, tmp_path: Path, rec: Path) -> None:
    run("transcribe", "rec", "--model", NANO, "-f", "txt")
    assert orphans(tmp_path, "--exclude", "a*") == []
    rec.rename(tmp_path / "moved")
    mistyped = run("transcribe", "moved-", "--list-orphans")
    assert (mistyped.returncode, mistyped.stdout) == (3, "")
    assert "moved-: " in mistyped.stderr


def test_a_tree_that_moved_leaves_no_orphans_but_a_removed_one_does(run: Run, tmp_path: Path, rec: Path) -> None:
    run("transcribe", "rec", "--model", NANO, "-f", "txt")
    rec.rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "rec2")
    (tmp_path / "rec").symlink_to("rec2")
    assert orphans(tmp_path) == []
    (tmp_path / "rec").unlink()
    listed = run("transcribe", "rec2", "--list-orphans").stdout
    assert listed == ""  # a run would find them again
    shutil.rmtree(tmp_path / "rec2")
    assert orphans(tmp_path) == ["transcripts/a.txt", "transcripts/b.txt"]


def test_orphans_beside_their_recordings_and_of_odd_names_are_listed(run: Run, tmp_path: Path, rec: Path) -> None:
    odd = os.fsdecode(b"\xd7\xaa\n")
    (rec / "a.flac").rename(rec / f"{odd}.flac")
    run("transcribe", "rec", "--model", NANO, "-f", "txt", "--beside")
    (rec / f"{odd}.flac").unlink()
    (rec / "b.flac").unlink()
    done = run("transcribe", "rec", "--list-orphans", "--beside", errors="surrogateescape")
    assert [os.fsencode(line) for line in done.stdout.splitlines()] == [
        os.fsencode(rec / "b.txt"),
        os.fsencode(rec) + b"/\xd7\xaa\\n.txt",
    ]
    assert done.stderr == "warning: 1 of these paths contains a line feed, printed as \\n\n"


def test_a_folder_without_a_record_has_no_orphans_to_list(run: Run, rec: Path) -> None:
    done = run("transcribe", "rec", "--list-orphans", "-o", "elsewhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: elsewhere: no run has written to this folder\n  Name the folder")
