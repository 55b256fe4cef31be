"""The command as a person or a script meets it: real processes, real audio, the real model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import srt

from tests.cli.conftest import Run
from tests.conftest import ENERGY_REPORT, SAMPLES

pytestmark = pytest.mark.usefixtures("embedded")


def files(folder: Path) -> set[str]:
    """The outputs below a folder, without the record."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if name != "manifest.jsonl" and not name.startswith(".funasr-cli")}


@pytest.fixture
def meetings(tmp_path: Path) -> Path:
    """A folder with a good recording below it, and one that is none."""
    folder = tmp_path / "meetings"
    (folder / "2026").mkdir(parents=True)
    shutil.copy(SAMPLES / "energy-report.flac", folder / "2026" / "report.flac")
    (folder / "broken.mp3").write_text("no sound")
    return folder


def test_a_folder_becomes_text_and_subtitles_and_a_bad_file_fails_alone(
    run: Run, meetings: Path, tmp_path: Path
) -> None:
    done = run("transcribe", meetings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "failed: " in done.stderr
    assert "broken.mp3: not audio or video that can be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(tmp_path / "transcripts") == {"2026/report.txt", "2026/report.srt"}
    assert (tmp_path / "transcripts/2026/report.txt").read_text(encoding="utf-8") == ENERGY_REPORT + "\n"
    cues = list(srt.parse((tmp_path / "transcripts/2026/report.srt").read_text(encoding="utf-8")))
    assert " ".join(cue.content for cue in cues) == ENERGY_REPORT


def test_every_format_at_once(run: Run, sample: Path, tmp_path: Path) -> None:
    done = run("transcribe", sample, "-f", "txt,srt,vtt,json,tsv", "-o", "out", "--device", "cpu", "--language", "en")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "out") == {f"energy-report.{kind}" for kind in ("txt", "srt", "vtt", "json", "tsv")}
    document = json.loads((tmp_path / "out/energy-report.json").read_text(encoding="utf-8"))
    assert document["text"] == ENERGY_REPORT
    assert document["language"] == "en"


def test_stdin_to_stdout_prints_the_result_and_nothing_else(run: Run, sample: Path, tmp_path: Path) -> None:
    done = run("transcribe", "-", "-f", "srt", "-o", "-", "--progress", "none", stdin=sample)
    assert done.returncode == 0, done.stderr
    assert " ".join(cue.content for cue in srt.parse(done.stdout)) == ENERGY_REPORT
    assert done.stderr == ""
    assert files(tmp_path) == set()


def test_stdin_goes_on_record_under_a_name_for_each_content(run: Run, sample: Path, tmp_path: Path) -> None:
    for path in (sample, SAMPLES / "railway-station.flac", sample):
        assert run("transcribe", "-", "-f", "txt", "--min-age", "60", stdin=path).returncode == 0
    assert files(tmp_path / "transcripts") == {"stdin.txt", "stdin.2.txt"}
    assert (tmp_path / "transcripts/stdin.txt").read_text() == ENERGY_REPORT + "\n"


def test_what_is_no_sound_on_stdin_is_called_stdin(run: Run) -> None:
    done = run("transcribe", "-", "-o", "-", stdin=Path(__file__))
    assert (done.returncode, done.stdout) == (1, "")
    assert "failed: stdin: not audio or video" in done.stderr


def test_a_dry_run_fails_where_the_run_would(run: Run, sample: Path, tmp_path: Path) -> None:
    done = run("transcribe", sample, "nothing-here", "--dry-run")
    assert done.returncode == 1
    assert done.stdout == f"do    {sample}: new\n"
    assert files(tmp_path) == set()


def test_text_is_utf_8_whatever_the_locale(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert run("transcribe", sample, "-o", "-", "--language", "zh").returncode == 0


def test_texts_of_several_recordings_follow_each_other_on_stdout(run: Run) -> None:
    done = run("transcribe", SAMPLES, "-o", "-")
    assert done.stdout.splitlines() == [
        ENERGY_REPORT,
        "The committee approved the budget for the new railway station. Construction will begin in spring.",
    ]


def test_beside_writes_next_to_the_recording(run: Run, meetings: Path) -> None:
    (meetings / "broken.mp3").unlink()
    assert run("transcribe", meetings, "--beside", "-f", "tsv").returncode == 0
    assert files(meetings) == {"2026/report.flac", "2026/report.tsv"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing-here"], 3, "nothing-here: no such file or folder"),
        (["."], 3, "no recording in what was named"),
        ([], 2, "Missing argument"),
        (["SAMPLE", "-f", "srt,docx"], 2, "'docx' is no output format; there are txt, srt, vtt, json, tsv"),
        (["SAMPLE", "-f", "srt,txt", "-o", "-"], 2, "only one format fits on stdout"),
        (["SAMPLES", "-f", "srt", "-o", "-"], 2, "2 recordings do not fit into one srt stream"),
        (["SAMPLE", "--beside", "-o", "-"], 2, "--beside and -o - exclude each other"),
        (["-", "--beside"], 2, "there is no place beside stdin"),
        (["SAMPLE", "--dry-run", "--json-summary"], 2, "--dry-run and --json-summary would mix on stdout"),
        (["SAMPLES", "-o", "SAMPLES"], 3, "is the output folder, which is never searched"),
        (["SAMPLE", "--vad-padding", "1"], 2, "padding of 1.0 s is longer than the minimum silence of 0.3 s"),
        (["SAMPLE", "--overlap", "20"], 2, "cannot overlap its neighbours by 20.0 s"),
        (["SAMPLE", "--language", "xx"], 2, "whisper-base does not know the language 'xx'"),
        (["SAMPLE", "--model", "wisper-base"], 4, "Did you mean whisper-base?"),
        (["SAMPLE", "--device", "npu"], 4, "To run on the CPU, say so: --device cpu"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(
    run: Run, arguments: list[str], code: int, message: str
) -> None:
    places = {"SAMPLE": str(SAMPLES / "energy-report.flac"), "SAMPLES": str(SAMPLES)}
    done = run("transcribe", *(places.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_where_an_error_arose(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" in run("transcribe", "nothing-here", "--debug").stderr
    monkeypatch.setenv("FUNASR_CLI_DEBUG", "1")
    assert "Traceback" in run("transcribe", "nothing-here").stderr


def test_the_summary_is_one_object_on_stdout(run: Run, meetings: Path) -> None:
    first, second = run("transcribe", meetings, "--json-summary"), run("transcribe", meetings, "--json-summary")
    totals, again = json.loads(first.stdout), json.loads(second.stdout)
    assert (totals["done"], totals["failed"], totals["skipped"], totals["left"]) == (1, 1, 0, 0)
    assert totals["audio_seconds"] == pytest.approx(8.46, abs=0.01)
    assert (totals["model"], totals["device"]) == ("whisper-base", "cpu")
    assert (again["done"], again["failed"], again["skipped"]) == (0, 1, 1)


def test_a_reader_that_goes_away_ends_the_run_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m funasr_cli transcribe {SAMPLES} -o - --progress none | true"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_a_log_gets_lines_without_control_characters(run: Run, sample: Path) -> None:
    done = run("transcribe", sample)
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert "model whisper-base: the embedded model; for Chinese, sensevoice-small is better" in done.stderr
    assert "device cpu (float32): no Ascend NPU on this machine" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("1 of 1 files, 0:00:08 of audio")
