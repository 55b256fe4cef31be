"""--track and --raw select what is read of a recording and how; a run reports files that it skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conftest import NANO
from tests.support.command import Run
from tests.support.tracks import RATE, NewTrack, write_tracks

pytestmark = pytest.mark.process

SPEECH, SPEECH_RATE = soundfile.read(NANO / "words-with-pauses.flac", dtype="float32")

QUICK = ("--model", NANO, "-f", "json,txt", "--workers", "1")


def tracks(path: Path) -> Path:
    """The sound of a film: speech at 48 kHz, and three seconds of silence as the default track."""
    speech = np.interp(np.arange(len(SPEECH) * 3) / 3, np.arange(len(SPEECH)), SPEECH).astype(np.float32)
    silence = np.zeros(3 * RATE, np.float32)
    return write_tracks(path, "libopus", NewTrack(speech, "eng"), NewTrack(silence, "chi", "国语", is_default=True))


def said(folder: Path, name: str) -> Any:
    return json.loads((folder / "transcripts" / f"{name}.json").read_text(encoding="utf-8"))


def test_a_track_is_chosen_and_a_missing_one_costs_only_its_recording(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tracks(tmp_path / "in" / "film.mkv")
    soundfile.write(tmp_path / "in" / "talk.wav", SPEECH, SPEECH_RATE)
    assert run("transcribe", "in", *QUICK).returncode == 0
    found = said(tmp_path, "film")
    assert len(found["segments"]) > 1
    assert "track 1 (eng) was transcribed because track 2 is silent throughout" in found["warnings"][0]

    done = run("transcribe", "in", *QUICK, "--track", "zh")
    assert done.returncode == 0, done.stderr  # the track of a WAV has no language
    assert said(tmp_path, "film")["segments"] == []
    done = run("transcribe", "in", *QUICK, "--track", "2")
    assert done.returncode == 1
    assert "talk.wav: has no audio track 2: there is only one" in done.stderr
    assert "Traceback" not in done.stderr


def test_sound_without_a_header_is_refused_and_read_as_it_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "talk.wav", SPEECH, SPEECH_RATE, subtype="ALAW")
    raw = tmp_path / "in" / "call.al"
    soundfile.write(raw, SPEECH, SPEECH_RATE, format="RAW", subtype="ALAW")
    done = run("transcribe", raw, *QUICK)
    assert done.returncode == 1
    assert f"failed: {raw}: not a readable audio or video file: no known header" in done.stderr
    assert "--raw; .al is often alaw:8000:1" in done.stderr
    assert "unexpected" not in done.stderr

    done = run("transcribe", "in", *QUICK)
    assert "1 file skipped by extension: 1 .al (see --raw)\n" in done.stderr
    done = run("transcribe", "in", *QUICK, "--raw", f"alaw:{SPEECH_RATE}:1")
    assert (done.returncode, "skipped by extension" in done.stderr) == (0, False), done.stderr
    texts = [(tmp_path / "transcripts" / f"{name}.txt").read_text(encoding="utf-8") for name in ("call", "talk")]
    assert texts[0] == texts[1] != ""
    assert "nothing to do" in run("transcribe", "in", *QUICK, "--raw", f"pcm_alaw:{SPEECH_RATE}:1").stderr


def test_sound_without_a_header_comes_through_stdin(run: Run, tmp_path: Path) -> None:
    raw = tmp_path / "a"
    soundfile.write(raw, SPEECH, SPEECH_RATE, format="RAW", subtype="PCM_16")
    done = run("transcribe", "-", "-o", "-", "--model", NANO, "--raw", f"s16le:{SPEECH_RATE}:1", stdin=raw)
    assert (done.returncode, len(done.stdout) > 5) == (0, True), done.stderr
    done = run("transcribe", "-", "-o", "-", "--model", NANO, stdin=raw)
    assert done.returncode == 1
    assert "--raw s16le:16000:1" in done.stderr


def test_files_passed_over_are_counted_but_not_what_was_written_beside(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "talk.wav", SPEECH[:SPEECH_RATE], SPEECH_RATE)
    (tmp_path / "in" / "agenda.pdf").touch()
    for more in ((), ("--dry-run",), ("--json-summary",)):
        done = run("transcribe", "in", "--beside", *QUICK, *more)
        assert "1 file skipped by extension: 1 .pdf\n" in done.stderr
    assert json.loads(done.stdout)["passed_over"] == {".pdf": 1}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--raw", "s16:16000:1", "'s16' is not one of the formats s8, u8"),
        ("--raw", "alaw", "is not FORMAT:RATE:CHANNELS, such as s16le:16000:1"),
        ("--track", "0", "'0' is not one of the numbers from 1 and the ISO 639 codes"),
        ("--track", "english", "not one of the numbers from 1"),
    ],
)
def test_a_value_that_makes_no_sense_is_wrong_usage(run: Run, option: str, value: str, message: str) -> None:
    done = run("transcribe", "x.wav", option, value)
    assert done.returncode == 2
    assert f"Invalid value for '{option}'" in done.stderr
    assert message in done.stderr
