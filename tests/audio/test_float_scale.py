"""Float samples at an integer scale are scaled to ±1; those that are only too loud are not changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.float_scale import find_bits
from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.audio.reader import open_recording
from tests.audio.test_reader import read, tone
from tests.conftest import NANO
from tests.support.tracks import NewTrack, write_tracks

SPEECH: Samples = soundfile.read(NANO / "words-with-pauses.flac", dtype="float32")[0]


def write(path: Path, samples: Samples, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples, SAMPLE_RATE, subtype=subtype)
    return path


def warning(bits: int) -> list[str]:
    return [f"float samples have the scale of {bits}-bit integers instead of ±1: divided by 2^{bits - 1}"]


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["wav", "aiff", "caf", "w64", "au"])
@pytest.mark.parametrize("bits", [16, 24, 32])
def test_samples_at_the_scale_of_integers_are_divided(tmp_path: Path, bits: int, kind: str, subtype: str) -> None:
    path = write(tmp_path / f"a.{kind}", SPEECH * np.float32(2 ** (bits - 1)), subtype)
    samples, recording = read(path)
    assert np.allclose(samples, SPEECH, atol=1e-6)
    assert recording.warnings == warning(bits)


@pytest.mark.parametrize("level", [0.001, 0.01, 1.0, 1.5, 4.0, 10.0])
def test_a_recording_that_is_soft_or_too_loud_is_left_alone(tmp_path: Path, level: float) -> None:
    scaled = SPEECH / np.abs(SPEECH).max() * np.float32(level)
    samples, recording = read(write(tmp_path / "a.wav", scaled))
    assert np.array_equal(samples, scaled)
    assert recording.warnings == []


WHOLE = np.rint(SPEECH * 2**15)
DITHER = np.random.default_rng(1).triangular(-1, 0, 1, len(SPEECH)).astype(np.float32)
HALF_A_MINUTE = 30 * SAMPLE_RATE


@pytest.mark.parametrize(
    "samples",
    [
        np.pad(WHOLE, (HALF_A_MINUTE, 0)),
        np.pad(WHOLE, (0, HALF_A_MINUTE)),
        np.pad(WHOLE[: 2 * SAMPLE_RATE], (20 * HALF_A_MINUTE, 20 * HALF_A_MINUTE)),
        np.concatenate([np.rint(2 * DITHER), WHOLE]),
        np.concatenate([DITHER, DITHER, SPEECH * np.float32(2**15) + DITHER]),
        np.rint(WHOLE / np.abs(WHOLE).max() * 2**15 * 10 ** (-56 / 20)),
        np.rint(WHOLE / np.abs(WHOLE).max() * 12),
        np.where(np.arange(len(WHOLE)) == 777, np.float32(np.nan), WHOLE),
    ],
    ids=[
        "silence first",
        "silence last",
        "a few words",
        "noise first",
        "dither",
        "soft",
        "a few steps",
        "not a number",
    ],
)
def test_the_scale_is_known_from_the_first_block_on(tmp_path: Path, samples: Samples) -> None:
    read_samples, recording = read(write(tmp_path / "a.wav", samples.astype(np.float32)))
    assert np.allclose(read_samples, np.nan_to_num(samples) / 2**15, atol=1e-6)
    assert recording.warnings[0] == warning(16)[0]


@pytest.mark.parametrize("value", [1e6, 1e30, np.inf])
def test_damage_does_not_make_the_rest_silent(tmp_path: Path, value: float) -> None:
    damaged = SPEECH.copy()
    damaged[5000:5100] = value
    samples, recording = read(write(tmp_path / "a.wav", damaged))
    assert np.array_equal(samples[6000:], SPEECH[6000:])
    assert warning(16)[0] not in recording.warnings


def test_silence_has_no_scale(tmp_path: Path) -> None:
    samples, recording = read(write(tmp_path / "a.wav", np.zeros(SAMPLE_RATE, np.float32)))
    assert (samples.any(), recording.warnings) == (False, [])


def test_integers_are_never_divided(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.wav", SPEECH, "PCM_16"))[1].warnings == []


def test_floats_without_a_header_are_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "a.f32"
    path.write_bytes((SPEECH * np.float32(2**15)).astype("<f4").tobytes())
    with open_recording(path, raw=RawFormat("f32le", SAMPLE_RATE, 1)) as recording:
        samples = np.concatenate(list(recording.blocks()))
    assert np.allclose(samples, SPEECH, atol=1e-6)
    assert recording.warnings == warning(16)


def test_floats_in_a_film_are_looked_at_too(tmp_path: Path) -> None:
    sound = tone(48_000)[:, 0]
    path = write_tracks(tmp_path / "a.mov", "pcm_f32le", NewTrack(sound * 2**15))
    samples, recording = read(path)
    assert np.abs(samples).max() == pytest.approx(0.4, abs=0.01)
    assert recording.warnings == warning(16)


def test_each_channel_is_divided_like_all(tmp_path: Path) -> None:
    quiet = np.stack([SPEECH * np.float32(2**15), np.zeros_like(SPEECH)], axis=1)
    path = write(tmp_path / "a.wav", quiet)
    assert np.allclose(read(path, 1)[0], SPEECH, atol=1e-6)
    assert not read(path, 2)[0].any()


def test_an_ordinary_recording_is_not_read_twice() -> None:
    def everything() -> Iterator[Samples]:
        raise AssertionError

    assert find_bits([SPEECH[:1000], SPEECH[50_000:51_000]], everything) is None
