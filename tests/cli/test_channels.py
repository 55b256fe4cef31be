"""A microphone per channel: each is transcribed separately, and outputs say who spoke."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from funasr_cli.arrays import SAMPLE_RATE, Samples
from tests.audio.test_reader import encode
from tests.cli.test_sensevoice import WITH_PAUSES, WITHOUT_PAUSES
from tests.conftest import NANO
from tests.support.command import Run
from tests.support.meetings import samples_of

pytestmark = pytest.mark.process

LATER = 320 * 512
"""Samples by which one speaker starts later: whole frames of the voice detector, so that its results are the same."""

COMPRESSED = {"flac": "", "m4a": "aac", "mka": "libopus", "mp3": "libmp3lame"}
"""Codecs by extension."""


def speaker(name: str) -> Samples:
    return samples_of(NANO / f"words-{name}-pauses.flac")


def side_by_side(*channels: Samples) -> Samples:
    """Return `[n, channels]`, the shorter ones filled with silence."""
    length = max(map(len, channels))
    return np.stack([np.pad(channel, (0, length - len(channel))) for channel in channels], axis=1)


def write_call(path: Path) -> Path:
    """Write a call: one speaks with pauses from the beginning, the other without pauses from ten seconds on."""
    agent = np.pad(speaker("without"), (LATER, 0))
    soundfile.write(path, side_by_side(speaker("with"), agent), SAMPLE_RATE)
    return path


@dataclass(frozen=True)
class Night:
    """One run over recordings of all kinds: its outputs, and its stderr."""

    folder: Path
    said: str

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        return json.loads(self.text(f"{name}.json"))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    one, other, silence = speaker("with"), speaker("without"), np.zeros(1, np.float32)
    at_once = np.repeat(side_by_side(other, one), 3, axis=0)  # 48 kHz
    (folder / "in").mkdir()
    write_call(folder / "in" / "call.wav")
    for kind, codec in COMPRESSED.items():
        path = folder / "in" / f"at-once-{kind}.{kind}"
        if codec:
            encode(path, codec, at_once, 48_000)
        else:
            soundfile.write(path, at_once, 48_000)
    encode(folder / "in" / "near.m4a", "aac", side_by_side(other, other), SAMPLE_RATE)
    for name, channels in {
        "mono": [one],
        "dual": [one, one],
        "five": [silence, one, silence, other, one],
        "nine": [silence] * 9,
    }.items():
        soundfile.write(folder / "in" / f"{name}.wav", side_by_side(*channels), SAMPLE_RATE)
    options = ["-f", "txt,srt,vtt,tsv,json", "--model", str(NANO), "--channels", "split", "--workers", "2"]
    command = [sys.executable, "-m", "funasr_cli", "transcribe", "in", "-o", "out", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stderr  # because of nine.wav
    return Night(folder / "out", done.stderr)


def spoken(result: Any, channel: int) -> str:
    """Return what a channel said, without spaces."""
    lines = [line["text"] for line in result["segments"] if line["channel"] == channel]
    return "".join(lines).replace(" ", "")


def test_each_channel_has_the_lines_of_its_own_recording(night: Night, run: Run, tmp_path: Path) -> None:
    done = run("transcribe", NANO, "-o", "alone", "-f", "json", "--model", NANO)
    assert done.returncode == 0, done.stderr
    result = night.json("call")
    for channel, name, later in ((1, "with", 0.0), (2, "without", LATER / SAMPLE_RATE)):
        alone = json.loads((tmp_path / "alone" / f"words-{name}-pauses.json").read_text(encoding="utf-8"))
        lines = [line for line in result["segments"] if line["channel"] == channel]
        assert [line["text"] for line in lines] == [line["text"] for line in alone["segments"]]
        assert [line["start"] - later for line in lines] == pytest.approx([line["start"] for line in alone["segments"]])
    assert {scene["channel"] for scene in result["scenes"]} == {1, 2}
    assert result["language"] == "zh"
    assert result["duration"] == pytest.approx((LATER + len(speaker("without"))) / SAMPLE_RATE, abs=0.001)


def test_all_formats_tell_who_spoke(night: Night) -> None:
    assert night.text("call.txt") == f"[1] {WITH_PAUSES}\n[2] {WITHOUT_PAUSES}\n"
    assert night.text("call.srt").startswith("1\n00:00:00,578 --> 00:00:04,118\n[1] 收缩 大体 专心\n\n2\n")
    assert "\n<v 2>学者空间相差比如大局性能一边\n" in night.text("call.vtt")
    assert night.text("call.tsv").startswith("start\tend\ttext\tchannel\n578\t4118\t收缩 大体 专心\t1\n")


@pytest.mark.parametrize("kind", COMPRESSED)
def test_speakers_at_the_same_time_are_kept_apart(night: Night, kind: str) -> None:
    result = night.json(f"at-once-{kind}")
    for channel, text in ((1, WITHOUT_PAUSES), (2, WITH_PAUSES.replace(" ", ""))):
        differences = sum(a != b for a, b in zip(spoken(result, channel), text, strict=True))
        assert differences <= (3 if COMPRESSED[kind] else 0)  # because of the codec
    assert all(one["start"] <= other["start"] for one, other in pairwise(result["segments"]))
    assert any(one["end"] > other["start"] for one, other in pairwise(result["segments"]))
    assert result["speech_seconds"] > result["duration"]
    assert result["warnings"] == []


def test_a_recording_with_one_channel_has_no_labels(night: Night) -> None:
    assert night.text("mono.txt") == f"{WITH_PAUSES}\n"
    assert night.text("mono.tsv").startswith("start\tend\ttext\n")
    assert "channel" not in night.text("mono.json")


def test_channels_that_are_the_same_are_written_once_with_a_warning(night: Night) -> None:
    assert night.text("dual.txt") == f"{WITH_PAUSES}\n"
    assert night.json("dual")["segments"] == night.json("mono")["segments"]
    assert "dual.wav: all channels are identical: speakers cannot be told apart\n" in night.said


def test_a_copy_of_a_channel_is_left_out_with_a_warning(night: Night) -> None:
    result = night.json("five")
    assert result["warnings"] == ["channel 5 is the same as channel 2 and was left out"]
    assert {line["channel"] for line in result["segments"]} == {2, 4}
    assert (spoken(result, 2), spoken(result, 4)) == (WITH_PAUSES.replace(" ", ""), WITHOUT_PAUSES)


def test_channels_that_only_the_codec_made_differ_are_written_with_a_warning(night: Night) -> None:
    assert len(night.text("near.txt").splitlines()) == 2
    assert "near.m4a: channels 1 and 2 have nearly the same text: if they are not separate microphones" in night.said


def test_too_many_channels_are_refused(night: Night) -> None:
    assert "nine.wav: has 9 channels; --channels split supports up to 8\n  --channels mix averages" in night.said


def test_stdin_is_split_like_a_file(run: Run, tmp_path: Path) -> None:
    call = write_call(tmp_path / "call.wav")
    done = run("transcribe", "-", "-f", "txt", "-o", "-", "--model", NANO, "--channels", "split", stdin=call)
    assert done.stdout == f"[1] {WITH_PAUSES}\n[2] {WITHOUT_PAUSES}\n"


def test_what_was_mixed_is_done_again_when_it_is_to_be_split(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", side_by_side(speaker("with"), 0 * speaker("with")), SAMPLE_RATE)
    command = ("transcribe", "a.wav", "-o", "out", "-f", "txt", "--model", NANO)
    texts, said = [], []
    for options in ((), (), ("--channels", "split"), ("--channels", "split")):
        done = run(*command, *options)
        assert done.returncode == 0, done.stderr
        texts.append((tmp_path / "out" / "a.txt").read_text(encoding="utf-8"))
        said.append("nothing to do: 1 already done" in done.stderr)
    assert texts == [f"{WITH_PAUSES}\n"] * 2 + [f"[1] {WITH_PAUSES}\n"] * 2
    assert said == [False, True, False, True]
