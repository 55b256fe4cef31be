"""Files without a header are read as --raw says, and never in a guessed format."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.arrays import Samples
from funasr_cli.audio.raw_format import ENCODINGS, RawFormat
from funasr_cli.audio.reader import open_recording
from funasr_cli.errors import InputError
from tests.audio.test_reader import encode, likeness, read, tone
from tests.conftest import NANO

SAMPLES = {"vox": (8000, 1), "alaw": (8000, 1), "mulaw": (8000, 2), "s16be": (44_100, 2), "f32le": (48_000, 1)}
"""Rate and channels of the encodings that do not use 16 kHz and one channel."""


def write_raw(path: Path, encoding: str, samples: Samples, rate: int) -> Path:
    """Write `samples` without a header; libsndfile accepts only whole bytes of `vox`."""
    subtype, endian, _ = ENCODINGS[encoding]
    samples = samples[: len(samples) // 512 * 512]
    soundfile.write(path, samples, rate, subtype=subtype, endian=endian, format="RAW")
    return path


def read_raw(path: Path, text: str) -> Samples:
    with open_recording(path, raw=RawFormat.parse(text)) as recording:
        samples = np.concatenate(list(recording.blocks()))
    assert recording.warnings == []
    return samples


@pytest.mark.parametrize("name", ["a.pcm", "a.raw", "a.al", "a.ul", "a.g711", "a.vox", "a", "a.bin", "a.wav", "a.au"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_is_read_as_it_was_said_whatever_the_name(tmp_path: Path, encoding: str, name: str) -> None:
    rate, channels = SAMPLES.get(encoding, (16_000, 1))
    path = write_raw(tmp_path / name, encoding, tone(rate, channels), rate)
    assert likeness(tone(16_000)[:, 0], read_raw(path, f"{encoding}:{rate}:{channels}")) > 0.98


@pytest.mark.parametrize(
    "name", ["a.pcm", "a.raw", "a.al", "a.ul", "a.g711", "a.vox", "a.sw", "a", "a.bin", "a.wav", "a.snd"]
)
@pytest.mark.parametrize("encoding", ["s16le", "s16be", "u8", "s8", "s24le", "alaw", "mulaw", "vox"])
def test_without_it_no_format_is_guessed(tmp_path: Path, encoding: str, name: str) -> None:
    speech, rate = soundfile.read(NANO / "words-with-pauses.flac", dtype="float32", always_2d=True)
    path = write_raw(tmp_path / name, encoding, speech, rate)
    with pytest.raises(InputError, match=r"no known header\n.*--raw"):
        open_recording(path)


@pytest.mark.parametrize(
    ("extension", "example"),
    [("al", "alaw:8000:1"), ("ul", "mulaw:8000:1"), ("pcm", "s16le:16000:1"), ("vox", "vox:8000:1")],
)
def test_the_error_has_the_format_that_is_usual_for_the_extension(tmp_path: Path, extension: str, example: str) -> None:
    path = write_raw(tmp_path / f"a.{extension}", "alaw", tone(8000), 8000)
    with pytest.raises(InputError, match=rf"\.{extension} is often {example}"):
        open_recording(path)
    RawFormat.parse(example)


@pytest.mark.parametrize("silence", [b"\0", b"\xff", b"\xd5", b"\x80", b"U"])
def test_silence_is_no_format_either(tmp_path: Path, silence: bytes) -> None:
    path = tmp_path / "a.pcm"
    path.write_bytes(silence * 100_000)
    with pytest.raises(InputError, match="no known header"):
        open_recording(path)
    with open_recording(path, raw=RawFormat("alaw", 8000, 1)) as recording:
        assert sum(map(len, recording.blocks())) == 200_000


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "aiff", "au", "mp3", "aac", "m4a", "mkv"])
def test_what_has_a_header_is_read_by_it(tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"a.{kind}"
    codec = {"aac": "aac", "m4a": "aac", "mkv": "libopus", "mp3": "libmp3lame"}.get(kind)
    if codec:
        encode(path, codec, tone(48_000), 48_000)
    else:
        soundfile.write(path, tone(48_000), 48_000)
    expected = read(path)[0]
    for name in ("b", "b.pcm", "b.raw"):
        shutil.copy(path, tmp_path / name)
        assert np.array_equal(read_raw(tmp_path / name, "u8:8000:1"), expected)
        assert np.array_equal(read(tmp_path / name)[0], expected)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["wav", "m4a", "flac"])
def test_damage_does_not_make_a_file_one_without_a_header(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "m4a":
        encode(path, "aac", tone(48_000), 48_000)
    else:
        soundfile.write(path, tone(48_000), 48_000)
    os.truncate(path, 30)
    with pytest.raises(InputError, match="not a readable audio or video file"):
        open_recording(path, raw=RawFormat("s16le", 16_000, 1))


def test_text_is_not_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    for text in ("Minutes of the meeting.\n", "会议纪要 第一页\n"):
        path.write_text(text * 100, encoding="utf-8")
        with pytest.raises(InputError, match="not a readable audio or video file"):
            open_recording(path, raw=RawFormat("s16le", 16_000, 1))


def test_half_a_sample_at_the_end_is_a_sign_of_another_format(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.pcm", "s16le", tone(16_000), 16_000)
    with path.open("ab") as file:
        file.write(b"\1")
    with open_recording(path, raw=RawFormat.parse("s16le:16000:1")) as recording:
        list(recording.blocks())
    assert recording.warnings == ["file size is not a whole number of samples: is --raw s16le:16000:1 right?"]


def test_channels_without_a_header_are_read_one_by_one(tmp_path: Path) -> None:
    stereo = tone(16_000, 2) * np.array([1, 0.5], np.float32)
    path = write_raw(tmp_path / "a.pcm", "s16le", stereo, 16_000)
    with open_recording(path, 2, raw=RawFormat("s16le", 16_000, 2)) as recording:
        samples = np.concatenate(list(recording.blocks()))
    assert recording.channels == 2
    assert np.abs(samples).max() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("s16le:16000:1", "s16le:16000:1"), ("PCM_S16LE:8000:2", "s16le:8000:2"), ("ulaw:8000:1", "mulaw:8000:1")],
)
def test_a_format_has_one_name(text: str, canonical: str) -> None:
    assert str(RawFormat.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s16le", "is not FORMAT:RATE:CHANNELS"),
        ("s16le:16000", "is not FORMAT:RATE:CHANNELS"),
        ("s16le:16000:1:", "is not FORMAT:RATE:CHANNELS"),
        ("s16:16000:1", "'s16' is not one of the formats s8, u8, s16le"),
        ("mp3:16000:1", "not one of the formats"),
        ("s16le:16k:1", "the rate must be a whole number from 1000 to 768000, not '16k'"),
        ("s16le:0:1", "the rate"),
        ("s16le:-8000:1", "the rate"),
        ("s16le:8000:0", "the number of channels must be a whole number from 1 to 64"),
        ("s16le:8000:²", "the number of channels"),
        ("vox:8000:2", "vox has only one channel"),
    ],
)
def test_a_format_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RawFormat.parse(text)


def test_g711_of_a_telephone_system_is_read(shared: Path) -> None:
    path = shared / "cases" / "audio" / "headerless-g711-8k.al"
    with pytest.raises(InputError, match=r"--raw; \.al is often alaw:8000:1"):
        open_recording(path)
    assert len(read_raw(path, "alaw:8000:1")) == 2 * path.stat().st_size
