"""The command as people and scripts use it: real processes, real audio, real models."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import srt

from tests.cli.test_sensevoice import WITH_PAUSES, WITHOUT_PAUSES
from tests.conftest import ENERGY_REPORT, NANO, SAMPLES
from tests.support.command import Run, run_command

pytestmark = [pytest.mark.usefixtures("embedded"), pytest.mark.process]

CLIP = NANO / "words-with-pauses.flac"


def files(folder: Path) -> set[str]:
    """Return the outputs below a folder, without the state."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if name != "manifest.jsonl" and not name.startswith(".funasr-cli")}


@pytest.fixture(scope="module")
def night(embedded: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with a recording and another file, transcribed by the default model; and the result of the command."""
    place = tmp_path_factory.mktemp("night")
    (place / "meetings" / "2026").mkdir(parents=True)
    shutil.copy(SAMPLES / "energy-report.flac", place / "meetings" / "2026" / "report.flac")
    (place / "meetings" / "broken.mp3").write_text("no sound")
    return place, run_command(place, "transcribe", "meetings", "-f", "txt,srt,vtt,json,tsv", "--json-summary")


Night = tuple[Path, "subprocess.CompletedProcess[str]"]


def test_a_folder_becomes_text_and_subtitles_and_a_bad_file_fails_alone(night: Night) -> None:
    place, done = night
    assert done.returncode == 1
    assert "failed: " in done.stderr
    assert "broken.mp3: not a readable audio or video file" in done.stderr
    assert "Traceback" not in done.stderr
    made = place / "transcripts"
    assert files(made) == {f"2026/report.{kind}" for kind in ("txt", "srt", "vtt", "json", "tsv")}
    assert (made / "2026/report.txt").read_text(encoding="utf-8") == ENERGY_REPORT + "\n"
    cues = list(srt.parse((made / "2026/report.srt").read_text(encoding="utf-8")))
    assert " ".join(cue.content for cue in cues) == ENERGY_REPORT
    document = json.loads((made / "2026/report.json").read_text(encoding="utf-8"))
    assert (document["text"], document["language"]) == (ENERGY_REPORT, "en")


def test_the_summary_is_one_object_on_stdout(night: Night) -> None:
    place, first = night
    totals, again = json.loads(first.stdout), run_command(place, "transcribe", "meetings", "--json-summary")
    assert (totals["done"], totals["failed"], totals["skipped"], totals["left"]) == (1, 1, 0, 0)
    assert totals["audio_seconds"] == pytest.approx(8.46, abs=0.01)
    assert (totals["model"], totals["device"]) == ("whisper-base", "cpu")
    second = json.loads(again.stdout)
    assert (second["done"], second["failed"], second["skipped"]) == (0, 1, 1)


def test_a_log_gets_lines_without_control_characters(night: Night) -> None:
    _, done = night
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    model, device = "model whisper-base", "device cpu (float32): no Ascend NPU on this machine"
    assert [line for line in done.stderr.splitlines() if "model" in line or "worker" in line] == [
        f"{model}, {device}; 2 workers"
    ]
    assert done.stderr.splitlines()[-1].startswith("2 of 2 files, 0:00:08 of audio")


def test_formats_device_and_language_can_be_named(run: Run, tmp_path: Path) -> None:
    asked = ("-f", "vtt,tsv", "-o", "out", "--device", "cpu", "--language", "zh", "--model", NANO)
    done = run("transcribe", CLIP, *asked)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "out") == {"words-with-pauses.vtt", "words-with-pauses.tsv"}


def test_without_the_voice_detector_a_run_says_once_what_may_come_of_silence(run: Run, tmp_path: Path) -> None:
    for name in "ab":
        shutil.copy(CLIP, tmp_path / f"{name}.flac")
    arguments = ("transcribe", "a.flac", "b.flac", "--model", NANO, "--vad", "off")
    assert run(*arguments).stderr.count("may turn into words that nobody said") == 1
    again = run(*arguments)
    assert "2 already done" in again.stderr
    assert "nobody said" not in again.stderr
    assert "nobody said" in run("transcribe", "a.flac", "--model", NANO, "--vad", "off", "-o", "-", "-f", "txt").stderr


def test_stdin_to_stdout_prints_the_result_and_nothing_else(run: Run, tmp_path: Path) -> None:
    done = run("transcribe", "-", "-f", "srt", "-o", "-", "--progress", "none", "--model", NANO, stdin=CLIP)
    assert done.returncode == 0, done.stderr
    assert " ".join(cue.content for cue in srt.parse(done.stdout)) == WITH_PAUSES
    assert done.stderr == ""
    assert files(tmp_path) == set()


def test_stdin_goes_on_record_under_a_name_for_each_content(run: Run, tmp_path: Path) -> None:
    for path in (CLIP, NANO / "words-without-pauses.flac", CLIP):
        done = run("transcribe", "-", "-f", "txt", "--min-age", "60", "--model", NANO, stdin=path)
        assert done.returncode == 0
    assert files(tmp_path / "transcripts") == {"stdin.txt", "stdin.2.txt"}
    assert (tmp_path / "transcripts/stdin.txt").read_text(encoding="utf-8") == WITH_PAUSES + "\n"


def test_what_is_no_sound_on_stdin_is_called_stdin(run: Run) -> None:
    done = run("transcribe", "-", "-o", "-", stdin=Path(__file__))
    assert (done.returncode, done.stdout) == (1, "")
    assert "failed: stdin: not a readable audio or video file" in done.stderr


def test_a_dry_run_fails_where_the_run_would(run: Run, sample: Path, tmp_path: Path) -> None:
    done = run("transcribe", sample, "nothing-here", "--dry-run")
    assert done.returncode == 1
    assert done.stdout == f"do    {sample}: new\n"
    assert files(tmp_path) == set()


def test_text_is_utf_8_whatever_the_locale(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run("transcribe", CLIP, "-o", "-", "--model", NANO, encoding="utf-8")
    assert (done.returncode, done.stdout) == (0, WITH_PAUSES + "\n")


def test_texts_of_several_recordings_follow_each_other_on_stdout(run: Run) -> None:
    done = run("transcribe", NANO, "-o", "-", "--model", NANO)
    assert done.stdout.splitlines() == [WITH_PAUSES, WITHOUT_PAUSES]


def test_beside_writes_next_to_the_recording(run: Run, tmp_path: Path) -> None:
    (tmp_path / "meetings" / "2026").mkdir(parents=True)
    shutil.copy(CLIP, tmp_path / "meetings" / "2026" / "report.flac")
    assert run("transcribe", "meetings", "--beside", "-f", "tsv", "--model", NANO).returncode == 0
    assert files(tmp_path / "meetings") == {"2026/report.flac", "2026/report.tsv"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing-here"], 3, "nothing-here: no such file or folder"),
        (["."], 3, "no recordings found"),
        ([], 2, "Missing argument"),
        (["SAMPLE", "-f", "srt,docx"], 2, "unknown output format 'docx'; known: txt, srt, vtt, json, tsv"),
        (["SAMPLE", "-f", "srt,txt", "-o", "-"], 2, "only one format can be printed to stdout"),
        (["SAMPLES", "-f", "srt", "-o", "-"], 2, "2 recordings cannot be printed as one srt stream"),
        (["SAMPLE", "--beside", "-o", "-"], 2, "--beside and -o - cannot be combined"),
        (["-", "--beside"], 2, "--beside cannot be used with stdin"),
        (["SAMPLE", "--dry-run", "--json-summary"], 2, "--dry-run and --json-summary cannot be combined"),
        (["SAMPLES", "-o", "SAMPLES"], 3, "error: SAMPLES: is the output folder, which is never searched"),
        (["SAMPLE", "-o", ""], 2, "the value of -o is empty\n  Is a shell variable unset"),
        (["SAMPLE", "--output="], 2, "the value of --output is empty"),
        (["SAMPLE", "--exclude", ""], 2, "the value of --exclude is empty"),
        ([""], 2, "the argument after transcribe is empty"),
        (["SAMPLE", ""], 2, ".flac is empty"),
        (["SAMPLE", " "], 2, ".flac is blank: ' '"),
        (["-", ""], 2, "the argument after - is empty"),
        (["SAMPLE", "--min-age", "nan"], 2, "'--min-age': nan is not a finite number"),
        (["SAMPLE", "--window-timeout", "inf"], 2, "'--window-timeout': inf is not a finite number"),
        (["SAMPLE", "--overlap", "1e999"], 2, "'--overlap': 1e999 is not a finite number"),
        (["SAMPLE", "--vad-threshold=NaN"], 2, "'--vad-threshold': NaN is not a finite number"),
        (["SAMPLE", "--vad-padding", "-1"], 2, "'--vad-padding': -1.0 is not in the range"),
        (["SAMPLE", "--deadline", "+99999999999h"], 2, "'+99999999999h' is not a deadline"),
        (["SAMPLES", "--include", "nothing*"], 3, "--include/--exclude filtered out every recording"),
        (["SAMPLES", "--exclude", "*.flac"], 3, "--include/--exclude filtered out every recording"),
        (["SAMPLES", "--vad-min-silence", "0.2"], 2, "--vad-padding must not exceed --vad-min-silence: set both."),
        (["SAMPLE", "--vad-padding", "1"], 2, "padding of 1.0 s is longer than the minimum silence of 0.3 s"),
        (["SAMPLE", "--overlap", "20"], 2, "cannot overlap its neighbours by 20.0 s"),
        (["SAMPLE", "--language", "xx"], 2, "whisper-base does not know the language 'xx'"),
        (["SAMPLE", "--language", "xx", "--dry-run"], 2, "whisper-base does not know the language 'xx'"),
        (["SAMPLE", "--language", "chinees"], 2, "Did you mean zh? Known languages: auto, "),
        (["SAMPLE", "--model", "wisper-base"], 4, "Did you mean whisper-base?"),
        (["SAMPLE", "--device", "npu"], 4, "To run on the CPU, use --device cpu"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(
    run: Run, arguments: list[str], code: int, message: str
) -> None:
    places = {"SAMPLE": str(SAMPLES / "energy-report.flac"), "SAMPLES": str(SAMPLES)}
    done = run("transcribe", *(places.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert message.replace("SAMPLES", str(SAMPLES)) in done.stderr
    assert "Traceback" not in done.stderr


def test_what_there_is_to_say_of_nothing_is_said_once(run: Run, tmp_path: Path) -> None:
    refused = run("transcribe", ".", "-o", ".").stderr
    why = "is the output folder, which is never searched; use --beside or choose another folder with -o"
    assert refused == f"error: .: {why}\n"
    (tmp_path / "empty").mkdir()
    assert run("transcribe", "gone", "empty").stderr.splitlines()[:2] == [
        "failed: gone: no such file or folder",
        "error: no recordings found",
    ]
    assert run("transcribe", "gone", "gone2").stderr.splitlines() == [
        "failed: gone: no such file or folder",
        "error: gone2: no such file or folder",
    ]


def test_a_pattern_for_nothing_is_told(run: Run) -> None:
    done = run("transcribe", SAMPLES, "--dry-run", "--exclude", "odl", "--exclude", "railway*")
    assert done.stdout.count(": new\n") == 1
    assert done.stderr == "warning: --exclude odl matched no files\n"


def test_a_recording_goes_by_the_path_that_leads_to_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/sub/none.wav").write_text("no sound")
    soundfile.write(tmp_path / "tree/sub/odd.wav", np.full((16_000, 1), np.nan, np.float32), 16_000, subtype="FLOAT")
    for more in ([], ["-o", "-"]):
        said = run("transcribe", "tree", "--model", NANO, *more).stderr
        assert "failed: tree/sub/none.wav: not a readable audio" in said
        assert "warning: tree/sub/odd.wav: 16000 samples are NaN or infinite" in said
    again = run("transcribe", "tree", "--model", NANO, "--json-summary")
    assert (
        "failed again (file unchanged since the last failure): tree/sub/none.wav: not a readable audio" in again.stderr
    )
    assert again.returncode == 1
    assert {key: json.loads(again.stdout)[key] for key in ("failed", "failed_before")} == {
        "failed": 1,
        "failed_before": 1,
    }
    assert "1 of 1 files, 1 failed (1 again), 1 already done in 0:00:0" in again.stderr


def test_what_is_too_young_is_said_to_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(NANO / "words-with-pauses.flac", tmp_path / "in/a.flac")
    done = run("transcribe", "in", "--model", NANO, "--min-age", "60")
    assert done.stderr == (
        "left for next time, changed within the last 60 s (--min-age): 1\nnothing to do: 0 already done\n"
    )


def test_an_output_that_is_not_called_as_one_expects_is_told_once(run: Run, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(NANO / "words-with-pauses.flac", tmp_path / folder / "a.flac")
    told = "two/a.flac: outputs will be named a.flac.*: a.* is already used by another recording\n"
    assert told not in run("transcribe", "one", "--model", NANO, "-f", "txt").stderr
    assert told in run("transcribe", "two", "--model", NANO, "-f", "txt").stderr
    assert told not in run("transcribe", "two", "--model", NANO, "-f", "txt", "--force").stderr
    assert files(tmp_path / "transcripts") == {"a.txt", "a.flac.txt"}


def test_debug_shows_where_an_error_arose(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" in run("transcribe", "nothing-here", "--debug").stderr
    monkeypatch.setenv("FUNASR_CLI_DEBUG", "1")
    assert "Traceback" in run("transcribe", "nothing-here").stderr
