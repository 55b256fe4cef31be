"""Any recording becomes the same 16 kHz mono stream."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.recording import Recording
from funasr_cli.errors import InputError

SECONDS = 3.0


def tone(rate: int, channels: int = 1, seconds: float = SECONDS) -> Samples:
    """A sweep from 200 to 1500 Hz, `[n, channels]`, the same in all channels."""
    t = np.arange(round(rate * seconds)) / rate
    sweep = 0.4 * np.sin(2 * np.pi * (200 * t + 650 * t**2 / seconds))
    return np.repeat(sweep.astype(np.float32)[:, np.newaxis], channels, axis=1)


def encode(path: Path, codec: str, samples: Samples, rate: int, *, video: str = "", start: float = 0.0) -> Path:
    """Write `samples` `[n, channels]` with FFmpeg, along with a black picture if `video` names a codec."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=10) if video else None
        sound = container.add_stream(codec, rate=rate, layout=layout) if codec else None
        if sound:
            sound.format, sound.bit_rate = sound.codec.audio_formats[0], 128_000
        if pictures:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
            for _ in range(int(SECONDS * 10)):
                container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p")))
            container.mux(pictures.encode(None))
        if sound:
            resampler = av.AudioResampler(sound.format.name, layout, rate)
            for at in range(0, len(samples), 1024):
                part = np.ascontiguousarray(samples[at : at + 1024].T)
                frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, round(start * rate) + at, Fraction(1, rate)
                for piece in resampler.resample(frame):
                    container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return path


def read(path: Path, channel: int | None = None) -> tuple[Samples, Recording]:
    with open_recording(path, channel) as recording:
        blocks = list(recording.blocks())
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    assert max(map(len, blocks)) <= 2 * SAMPLE_RATE
    return np.concatenate(blocks), recording


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples[800:-800] ** 2)))


def likeness(a: Samples, b: Samples) -> float:
    """Peak of the normalised cross-correlation: 1 for the same signal, whatever the delay."""
    size = len(a) + len(b)
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(correlation.max() / np.sqrt(np.sum(a**2) * np.sum(b**2)))


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "aiff", "au", "caf", "w64", "mp3"])
def test_what_libsndfile_writes_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, tone(16_000), 16_000)
    samples, recording = read(path)
    assert likeness(tone(16_000)[:, 0], samples) > 0.99
    assert recording.duration == pytest.approx(SECONDS, abs=0.1)
    assert recording.warnings == []


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [
        ("a.m4a", "aac", ""),
        ("a.mp4", "aac", "mpeg4"),
        ("a.mkv", "libopus", "mpeg4"),
        ("a.webm", "libopus", ""),
        ("a.wma", "wmav2", ""),
        ("a.mka", "flac", ""),
        ("a.ac3", "ac3", ""),
        ("a.aac", "aac", ""),
        ("a.ts", "mp2", ""),
        ("a.mov", "pcm_s24le", "mpeg4"),
        ("a.avi", "pcm_u8", "mpeg4"),
    ],
)
def test_what_ffmpeg_writes_is_read(tmp_path: Path, name: str, codec: str, video: str) -> None:
    path = encode(tmp_path / name, codec, tone(48_000), 48_000, video=video)
    samples, recording = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.15)
    assert likeness(tone(16_000)[:, 0], samples) > 0.98
    assert rms(samples) == pytest.approx(0.4 / np.sqrt(2), rel=0.1)
    assert recording.warnings == []


@pytest.mark.parametrize("kind", ["wav", "aiff", "flac"])
def test_samples_of_16_bits_are_exact(tmp_path: Path, kind: str) -> None:
    samples = np.arange(-(2**15), 2**15).astype(np.int16)
    soundfile.write(tmp_path / f"all.{kind}", samples, SAMPLE_RATE, subtype="PCM_16")
    with open_recording(tmp_path / f"all.{kind}") as recording:
        read = np.concatenate(list(recording.blocks()))
    assert read.dtype == np.float32
    assert np.array_equal(read * 2**15, samples)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_every_rate_becomes_16_khz(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(rate), rate)
    samples, _ = read(path)
    assert len(samples) == pytest.approx(SECONDS * SAMPLE_RATE, abs=32)
    error = samples[800:-800] - tone(SAMPLE_RATE)[800 : len(samples) - 800, 0]
    assert np.sqrt(np.mean(error**2)) < 0.005


@pytest.mark.parametrize("write", ["wav", "m4a"])
@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(tmp_path: Path, write: str, channels: int) -> None:
    signal = tone(48_000, channels) * np.linspace(0, 2, channels, dtype=np.float32)
    path = tmp_path / f"a.{write}"
    if write == "wav":
        soundfile.write(path, signal / 2, 48_000)
    else:
        encode(path, "aac", signal / 2, 48_000)
    samples, _ = read(path)
    assert rms(samples) == pytest.approx(
        0.2 / np.sqrt(2), rel=0.1 if write == "wav" else 0.2
    )  # AAC cuts the bass channel


@pytest.mark.parametrize("kind", ["wav", "flac", "m4a", "mka"])
def test_a_channel_is_read_by_itself(tmp_path: Path, kind: str) -> None:
    signal = tone(48_000, 2)
    signal[:, 1] = 0.5 * signal[::-1, 1]
    path = tmp_path / f"a.{kind}"
    if kind in ("wav", "flac"):
        soundfile.write(path, signal, 48_000)
    else:
        encode(path, {"m4a": "aac", "mka": "libopus"}[kind], signal, 48_000)
    swept = tone(SAMPLE_RATE)[:, 0]
    for channel, own, other, level in ((1, swept, swept[::-1], 0.4), (2, swept[::-1], swept, 0.2)):
        samples, recording = read(path, channel)
        assert recording.channels == 2
        assert recording.copies == {}
        assert recording.warnings == []
        assert rms(samples) == pytest.approx(level / np.sqrt(2), rel=0.1)
        assert likeness(own, samples) > 0.98 > 0.5 > likeness(other, samples)


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
def test_a_channel_of_a_wav_is_that_of_a_mono_file_sample_for_sample(tmp_path: Path, channel: int) -> None:
    signal = tone(44_100, 4) * np.array([1, 0.5, 0.25, 0], np.float32)
    soundfile.write(tmp_path / "four.wav", signal, 44_100, subtype="FLOAT")
    soundfile.write(tmp_path / "one.wav", signal[:, channel - 1], 44_100, subtype="FLOAT")
    assert np.array_equal(read(tmp_path / "four.wav", channel)[0], read(tmp_path / "one.wav")[0])


def test_channels_that_are_the_same_throughout_are_known_in_the_end(tmp_path: Path) -> None:
    signal = tone(16_000, 5)
    signal[-1, 1] = 0.5
    signal[:, 3:] *= 0.5
    path = tmp_path / "a.wav"
    soundfile.write(path, signal, 16_000)
    assert read(path, 1)[1].copies == {3: 1, 5: 4}
    assert read(path)[1].copies == {}


def test_a_recording_of_one_channel_has_no_channels_to_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16_000), 16_000)
    samples, recording = read(path, 1)
    assert (recording.channels, recording.channel, recording.copies) == (1, None, {})
    assert np.array_equal(samples, read(path)[0])


def test_where_a_stream_has_another_number_of_channels_all_is_in_the_first(tmp_path: Path) -> None:
    stereo = tone(48_000, 2) * np.array([1, 0.5], np.float32)
    path = encode(tmp_path / "stereo.aac", "aac", stereo, 48_000)
    path.write_bytes(path.read_bytes() + encode(tmp_path / "mono.aac", "aac", tone(48_000), 48_000).read_bytes())
    (first, recording), (second, _) = read(path, 1), read(path, 2)
    assert len(first) == len(second) == pytest.approx(2 * SECONDS * SAMPLE_RATE, rel=0.05)
    assert rms(first[-2 * SAMPLE_RATE :]) == pytest.approx(0.4 / np.sqrt(2), rel=0.1)
    assert not second[-2 * SAMPLE_RATE :].any()
    assert rms(second[: 2 * SAMPLE_RATE]) > 0.1
    assert recording.warnings == ["the number of channels changes: parts without 2 channels were used as channel 1"]


def test_what_is_wrong_with_one_channel_is_not_said_of_the_other(tmp_path: Path) -> None:
    signal = tone(16_000, 2)
    signal[7, 1] = np.nan
    path = tmp_path / "a.wav"
    soundfile.write(path, signal, 16_000, subtype="FLOAT")
    assert read(path, 1)[1].warnings == []
    assert read(path, 2)[1].warnings == ["1 samples of channel 2 are NaN or infinite and were replaced by silence"]


@pytest.mark.parametrize("channel", [1, 2])
def test_a_channel_of_a_track_that_starts_late_has_the_same_times(tmp_path: Path, channel: int) -> None:
    sound = tone(48_000, 2, seconds=1.0) * np.array([1, 0.5], np.float32)
    path = encode(tmp_path / "a.mkv", "libopus", sound, 48_000, video="mpeg4", start=1.5)
    samples, _ = read(path, channel)
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    assert loud[0] / SAMPLE_RATE == pytest.approx(1.5, abs=0.05)


def test_a_track_that_starts_late_keeps_the_times_of_the_picture(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", "libopus", tone(48_000, seconds=1.0), 48_000, video="mpeg4", start=1.5)
    samples, _ = read(path)
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    assert loud[0] / SAMPLE_RATE == pytest.approx(1.5, abs=0.05)


def test_numbers_that_are_none_become_silence_with_a_warning(tmp_path: Path) -> None:
    signal = tone(16_000)
    signal[100:200] = np.nan
    signal[300] = np.inf
    path = tmp_path / "a.wav"
    soundfile.write(path, signal, 16_000, subtype="FLOAT")
    samples, recording = read(path)
    assert np.isfinite(samples).all()
    assert not samples[100:200].any()
    assert recording.warnings == ["101 samples are NaN or infinite and were replaced by silence"]


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_file_cut_off_is_read_to_its_end_with_a_warning(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, tone(16_000, seconds=20.0), 16_000)
    os.truncate(path, path.stat().st_size // 2)
    samples, recording = read(path)
    assert 5 < len(samples) / SAMPLE_RATE < 15
    assert any("cut off" in warning for warning in recording.warnings)


def test_damage_within_a_file_costs_only_itself(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mka", "libopus", tone(48_000, seconds=10.0), 48_000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = os.urandom(2000)
    path.write_bytes(data)
    samples, _ = read(path)
    assert len(samples) / SAMPLE_RATE > 4


def text(path: Path) -> None:
    path.write_text("This is no sound.\n" * 100)


def nothing(path: Path) -> None:
    path.touch()


def index_lost(path: Path) -> None:
    encode(path.with_suffix(".mp4"), "aac", tone(48_000), 48_000)
    shutil.move(path.with_suffix(".mp4"), path)
    os.truncate(path, path.stat().st_size // 2)


def silent_film(path: Path) -> None:
    encode(path.with_suffix(".mp4"), "", tone(48_000), 48_000, video="mpeg4")
    shutil.move(path.with_suffix(".mp4"), path)


def playlist(path: Path) -> None:
    path.write_text(f"#EXTM3U\n#EXTINF:5,\n{path.parent / 'secret.ts'}\n#EXT-X-ENDLIST\n")
    encode(path.parent / "secret.ts", "mp2", tone(48_000), 48_000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (text, "not a readable audio or video file"),
        (nothing, "the file is empty"),
        (index_lost, "not a readable audio or video file"),
        (silent_film, "no audio track"),
        (playlist, "not a readable audio or video file"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "a.wav"
    make(path)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        open_recording(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.wav: cannot be read: No such file"):
        open_recording(tmp_path / "gone.wav")


@pytest.fixture(params=[b"a:b.mp4", b"\xff\xfe.mp4", b"new\nline.mp4", b"http:x.mp4", "会议.mp4".encode()])
def odd_name(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / os.fsdecode(request.param)


def test_any_name_will_do(odd_name: Path) -> None:
    plain = encode(odd_name.parent / "plain.mp4", "aac", tone(48_000), 48_000)
    plain.rename(odd_name)
    samples, _ = read(odd_name)
    assert len(samples) > SAMPLE_RATE


def test_channels_that_are_one_inverted_are_known_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound, noise = (
        tone(16_000)[:, 0],
        np.random.default_rng(1).normal(0, 0.1, (5, len(tone(16_000)))).astype(np.float32),
    )
    channels = [sound, -sound, noise[0], 0.5 * noise[1] - sound, np.zeros_like(sound)]
    soundfile.write(path, np.stack(channels, axis=1), 16_000, subtype="FLOAT")
    _, first = read(path, 1)
    assert first.copies == {2: 1}
    assert first.opposed == {(1, 2), (1, 4)}
    assert read(path, 2)[1].opposed == read(path)[1].opposed == set()
