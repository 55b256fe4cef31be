"""What was recognised is kept: other formats and layouts need no second recognition. Real runs with a small model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from funasr_cli.batch import runner
from funasr_cli.batch.rendering import render_kept
from funasr_cli.cli import cli
from funasr_cli.render.renderer import Renderer
from tests.conftest import NANO
from tests.support.command import run_command

pytestmark = [pytest.mark.process, pytest.mark.model]

KEPT = ".funasr-cli/transcripts.sqlite"

Transcribe = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings, and with the transcripts of a first run."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "in/sub").mkdir(parents=True)
    shutil.copy2(NANO / "words-with-pauses.flac", folder / "in/a.flac")
    shutil.copy2(NANO / "words-without-pauses.flac", folder / "in/sub/b.flac")
    done = run_command(folder, "transcribe", "in", "-o", "out", "--model", NANO)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(first: Path, tmp_path: Path) -> Path:
    """Another folder, with a copy of these transcripts."""
    shutil.copytree(first / "out", tmp_path / "out")
    return tmp_path


@pytest.fixture
def transcribe(first: Path, folder: Path) -> Transcribe:
    return partial(run_command, folder, "transcribe", first / "in", "--model", NANO)


def outputs(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix in {".txt", ".srt", ".vtt", ".json"})
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if ".funasr-cli" not in path.parts}


def last_lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "out/manifest.jsonl").read_text().splitlines()][-2:]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["-f", "json,vtt,txt,srt"], id="formats"),
        pytest.param(["--txt-layout", "timestamps", "--bom", "--crlf", "--script", "traditional"], id="layout"),
        pytest.param(["--cue-preset", "ted-zh", "--max-line-width", "4", "-f", "txt,srt,vtt,json"], id="subtitles"),
    ],
)
def test_what_is_rendered_is_what_a_fresh_run_writes(folder: Path, transcribe: Transcribe, options: list[str]) -> None:
    rendered = transcribe("-o", "out", *options)
    assert rendered.returncode == 0
    assert "written from kept transcripts, without recognising again: 2" in rendered.stderr
    assert all(line["seconds"].keys() == {"render"} for line in last_lines(folder))  # type: ignore[attr-defined]
    transcribe("-o", "fresh", *options)
    assert outputs(folder / "out") == outputs(folder / "fresh")
    assert "nothing to do: 2 already done" in transcribe("-o", "out", *options).stderr


def test_dry_run_says_what_would_be_rendered_and_the_summary_counts_it(folder: Path, transcribe: Transcribe) -> None:
    listed = transcribe("-o", "out", "--script", "keep", "--dry-run").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["render", "render"]
    assert listed[0].endswith(": changed: script")
    summary = json.loads(transcribe("-o", "out", "--script", "keep", "--json-summary").stdout)
    assert (summary["rendered"], summary["done"], summary["failed"]) == (2, 0, 0)


@pytest.mark.parametrize("options", [["--language", "zh"], ["--no-itn"], ["--overlap", "1"], ["--hotwords", "gov"]])
def test_what_changes_recognition_is_recognised_again(transcribe: Transcribe, options: list[str]) -> None:
    """This model writes numbers by itself, so `--no-itn` is a matter of recognition too."""
    listed = transcribe("-o", "out", *options, "--dry-run").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["do", "do"]


def test_of_other_content_nothing_is_rendered(tmp_path: Path) -> None:
    transcribe = partial(run_command, tmp_path, "transcribe", "a.flac", "--model", NANO, "-o", "out")
    shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / "a.flac")
    assert transcribe().returncode == 0
    assert transcribe("-f", "vtt", "--dry-run").stdout == "render a.flac: no vtt of it yet\n"
    shutil.copy2(NANO / "words-without-pauses.flac", tmp_path / "a.flac")
    assert transcribe("-f", "vtt", "--dry-run").stdout == "do    a.flac: its content changed\n"


def test_a_text_that_was_edited_is_not_overwritten(folder: Path, transcribe: Transcribe) -> None:
    (folder / "out/a.txt").write_text("edited\n")
    rendered = transcribe("-o", "out", "--txt-layout", "plain")
    assert (folder / "out/a.txt").read_text() == "edited\n"
    assert (folder / "out/a.new.txt").exists()
    assert "/in/a.flac: " in rendered.stderr
    assert f"{folder}/out/a.txt was edited" in rendered.stderr


def test_no_keep_keeps_nothing_and_removes_what_was_kept(folder: Path, transcribe: Transcribe) -> None:
    assert "nothing to do" in transcribe("-o", "out", "--no-keep").stderr
    assert not list((folder / "out/.funasr-cli").glob("transcripts*"))
    assert transcribe("-o", "out", "-f", "vtt", "--dry-run").stdout.startswith("do ")
    assert transcribe("-o", "new", "--no-keep").returncode == 0
    assert not list((folder / "new/.funasr-cli").glob("transcripts*"))


def test_what_is_kept_and_cannot_be_read_is_recognised_again(folder: Path, transcribe: Transcribe) -> None:
    with closing(sqlite3.connect(folder / "out" / KEPT)) as db, db:
        db.execute("UPDATE recognition SET packed = x'00' WHERE input = 1")
    summary = json.loads(transcribe("-o", "out", "-f", "vtt", "--json-summary").stdout)
    assert (summary["rendered"], summary["done"], summary["failed"]) == (1, 1, 0)
    assert len(outputs(folder / "out")) == 6


def test_an_output_that_cannot_be_written_costs_only_itself_and_is_rendered_next_time(
    folder: Path, transcribe: Transcribe
) -> None:
    (folder / "out/sub/b.vtt").mkdir()
    failed = transcribe("-o", "out", "-f", "vtt")
    assert failed.returncode == 1
    assert f"failed: {folder}/out/sub/b.vtt" in failed.stderr
    assert (folder / "out/a.vtt").exists()
    (folder / "out/sub/b.vtt").rmdir()
    assert transcribe("-o", "out", "-f", "vtt", "--dry-run").stdout.splitlines()[1].startswith("render ")


@pytest.fixture
def render(folder: Path) -> Transcribe:
    return partial(run_command, folder, "render", "out")


def test_render_writes_what_a_fresh_run_writes_and_the_next_run_has_nothing_to_do(
    folder: Path, transcribe: Transcribe, render: Transcribe
) -> None:
    options = [
        "--txt-layout",
        "plain",
        "--script",
        "taiwan",
        "--crlf",
        "--cue-preset",
        "netflix-zh",
        "--cue-gap",
        "0.2",
    ]
    assert render("-f", "txt,srt,json", "--dry-run").stdout.count("render ") == 2
    assert render("-f", "txt,srt,json", *options).returncode == 0
    transcribe("-o", "fresh", "-f", "txt,srt,json", *options)
    assert outputs(folder / "out") == outputs(folder / "fresh")
    assert "nothing to do: 2 already done" in transcribe("-o", "out", "-f", "txt,srt,json", *options).stderr
    assert [line["model"] for line in last_lines(folder)] == ["nano", "nano"]


def test_render_needs_no_recordings_and_takes_some_of_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / f"in/{name}.flac")
    run_command(tmp_path, "transcribe", "in", "--beside", "--model", NANO)
    (tmp_path / "in/b.flac").unlink()
    assert run_command(tmp_path, "render", "-f", "vtt", "--include", "b.*").returncode == 0
    assert {path.name for path in (tmp_path / "in").glob("*.vtt")} == {"b.vtt"}
    assert "skip " in run_command(tmp_path, "transcribe", "in", "--beside", "--model", NANO, "--dry-run").stdout


def test_render_writes_each_output_where_it_was_and_makes_no_folder_of_recordings(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / name / f"{name}.flac")
    run_command(tmp_path, "transcribe", "a", "-o", "out", "--model", NANO)
    run_command(tmp_path, "transcribe", "b", "-o", "out", "--beside", "--model", NANO)
    assert run_command(tmp_path, "render", "out", "-f", "vtt").returncode == 0
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.vtt")) == ["b/b.vtt", "out/a.vtt"]
    shutil.rmtree(tmp_path / "b")
    refused = run_command(tmp_path, "render", "out", "-f", "tsv")
    assert refused.returncode == 1
    assert "b/b.flac: its folder is gone" in refused.stderr
    assert not (tmp_path / "b").exists()


def test_render_corrects_with_the_hotwords_of_the_run(tmp_path: Path) -> None:
    shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / "a.flac")
    (tmp_path / "words.txt").write_text("海滩\n")
    options = ["a.flac", "--model", NANO, "-f", "json", "--hotwords", "words.txt"]
    run_command(tmp_path, "transcribe", *options, "-o", "out")
    run_command(tmp_path, "transcribe", *options, "-o", "fresh", "--hotword-correction", "off")
    assert run_command(tmp_path, "render", "out", "--hotword-correction", "off").returncode == 0
    assert outputs(tmp_path / "out") == outputs(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("break_", "options", "message"),
    [
        pytest.param("", ["--no-itn"], "its model writes numbers and punctuation itself", id="numbers"),
        pytest.param("DELETE FROM recognition", ["-f", "vtt"], "its recognised text was not kept", id="nothing kept"),
        pytest.param("UPDATE recognition SET packed = x'00'", ["-f", "vtt"], "cannot be read: damaged", id="damaged"),
    ],
)
def test_what_cannot_be_rendered_is_said(
    folder: Path, render: Transcribe, break_: str, options: list[str], message: str
) -> None:
    if break_:
        with closing(sqlite3.connect(folder / "out" / KEPT)) as db, db:
            db.execute(f"{break_} WHERE input = 1")
    before = outputs(folder / "out")
    if "DELETE" in break_ or not break_:
        assert message in render(*options, "--dry-run").stderr
    refused = render(*options)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert outputs(folder / "out").items() >= before.items()


def test_a_damaged_file_of_results_is_put_aside_and_recordings_stay_done(folder: Path, transcribe: Transcribe) -> None:
    (folder / "out" / KEPT).write_bytes(b"no database" * 500)
    assert transcribe("-o", "out", "-f", "vtt", "--dry-run").stdout.count("do ") == 2
    again = transcribe("-o", "out")
    assert "transcripts.sqlite is damaged and was renamed to transcripts.sqlite.damaged" in again.stderr
    assert "nothing to do: 2 already done" in again.stderr
    assert (folder / "out" / f"{KEPT}.damaged").exists()
    assert "is damaged" not in transcribe("-o", "out").stderr


def test_a_recording_that_has_changed_is_not_rendered(tmp_path: Path) -> None:
    shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / "a.flac")
    run_command(tmp_path, "transcribe", "a.flac", "--model", NANO, "-o", "out")
    shutil.copy2(NANO / "words-without-pauses.flac", tmp_path / "a.flac")
    refused = run_command(tmp_path, "render", "out", "-f", "vtt")
    assert refused.returncode == 1
    assert "has changed since it was transcribed" in refused.stderr


@pytest.mark.parametrize("gone", [False, True])
def test_a_recording_that_is_replaced_before_its_turn_is_left_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    def plan_then_replace(*arguments: Any) -> Any:
        if gone:
            (tmp_path / "a.flac").unlink()
        else:
            shutil.copy2(NANO / "words-without-pauses.flac", tmp_path / "a.flac")
        return render_kept(*arguments)

    shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / "a.flac")
    shutil.copy2(NANO / "words-with-pauses.flac", tmp_path / "b.flac")
    arguments = ["transcribe", str(tmp_path), "-o", str(tmp_path / "out"), "--model", str(NANO)]
    assert run_command(tmp_path, *arguments).returncode == 0
    monkeypatch.setattr(runner, "render_kept", plan_then_replace)
    rendered = CliRunner().invoke(cli, [*arguments, "-f", "vtt"], obj={})
    assert rendered.exit_code == 0
    assert "a.flac: changed while this run was working; left for the next run" in rendered.output
    assert {path.name for path in (tmp_path / "out").glob("*.vtt")} == {"b.vtt"}
    if not gone:
        assert "do    " in run_command(tmp_path, *arguments, "-f", "vtt", "--dry-run").stdout


def test_what_is_not_rendered_by_the_deadline_is_left(folder: Path, transcribe: Transcribe) -> None:
    said = transcribe("-o", "out", "-f", "vtt", "--deadline", "+0s").stderr
    assert "the deadline, +0s, has passed: outputs not written: 2" in said
    assert "nothing to do" not in said
    assert "--min-age" not in said


def test_an_output_that_was_being_written_is_rendered_again(folder: Path, render: Transcribe) -> None:
    """A kill between the two entries about outputs leaves them so."""
    with closing(sqlite3.connect(folder / "out/.funasr-cli/state.sqlite")) as db, db:
        db.execute("UPDATE output SET recipe = NULL, pending = sha256")
    (folder / "out/a.srt").unlink()
    assert render().returncode == 0
    assert (folder / "out/a.srt").exists()


def test_a_folder_that_no_run_has_written_to_is_refused(tmp_path: Path) -> None:
    refused = run_command(tmp_path, "render", "nowhere")
    assert refused.returncode == 2
    assert "nowhere: no run has written to this folder" in refused.stderr
    assert not (tmp_path / "nowhere").exists()


def test_rendering_loads_no_runtime() -> None:
    code = "import sys, funasr_cli.render.folder; "
    code += "print({'onnxruntime', 'ctranslate2', 'av', 'soundfile'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_signal_ends_rendering_after_the_recording_in_progress(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def render_and_be_told_to_stop(renderer: Renderer, *arguments: Any, **more: Any) -> list[str]:
        os.kill(os.getpid(), signal.SIGTERM)
        return whole(renderer, *arguments, **more)

    whole = Renderer.render
    monkeypatch.setattr(Renderer, "render", render_and_be_told_to_stop)
    stopped = CliRunner().invoke(cli, ["render", str(folder / "out"), "-f", "vtt"])
    assert stopped.exit_code == 143
    assert "interrupted by SIGTERM; what was finished is kept" in stopped.output
    assert len(list((folder / "out").rglob("*.vtt"))) == 1
