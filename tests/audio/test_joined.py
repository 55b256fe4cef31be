"""Recordings that were concatenated in one file are read to the end of the last one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.joined import BLOCK_BYTES, later_starts
from tests.audio.test_reader import SECONDS, likeness, read, rms, tone
from tests.support.encoding import write

RATE = 48_000

Made = Callable[[Path, Samples], Path]


def by_libsndfile(name: str, rate: int = RATE, **how: str) -> Made:
    def make(folder: Path, samples: Samples) -> Path:
        soundfile.write(folder / name, samples[:: RATE // rate], rate, **how)
        return folder / name

    return make


def by_ffmpeg(name: str, codec: str, rate: int = RATE, **how: object) -> Made:
    return lambda folder, samples: write(folder / name, codec, samples[:: RATE // rate], rate, **how)  # type: ignore[arg-type]


def amr(folder: Path, samples: Samples) -> Path:
    """Frames of 12.2 kbit/s, 20 ms each, with arbitrary content; `samples` determines their number and content."""
    path, seed = folder / "a.amr", int(samples[1, 0] * 1e6) & 0xFFFF
    content = np.random.default_rng(seed).bytes(31 * round(len(samples) / RATE * 50))
    path.write_bytes(b"#!AMR\n" + b"".join(b"\x3c" + content[at : at + 31] for at in range(0, len(content), 31)))
    return path


VORBIS, OPUS = by_libsndfile("a.ogg"), by_libsndfile("a.opus", format="OGG", subtype="OPUS")
FLAC, WAV = by_libsndfile("a.flac"), by_libsndfile("a.wav")
FILM = by_ffmpeg("film.ts", "mp2", video="mpeg2video")

JOINED = {
    "vorbis": [VORBIS, VORBIS],
    "three-opus": [OPUS, OPUS, OPUS],
    "vorbis-opus": [VORBIS, OPUS],
    "opus-vorbis": [OPUS, by_libsndfile("a.ogg", 16_000)],
    "ogg-rates": [VORBIS, by_libsndfile("a.ogg", 16_000), VORBIS],
    "flac-in-ogg": [by_ffmpeg("a.oga", "flac", container="ogg")] * 2,
    "flac": [FLAC, FLAC],
    "flac-rates": [FLAC, by_libsndfile("a.flac", 16_000, subtype="PCM_24"), FLAC],
    "flac-streamed": [by_ffmpeg("a.flac", "flac", piped=True, container="flac", bit_rate=0), FLAC],
    "wav": [WAV, WAV],
    "wav-kinds": [WAV, by_libsndfile("a.wav", 16_000, subtype="FLOAT"), by_libsndfile("a.wav", subtype="PCM_24")],
    "aiff": [by_libsndfile("a.aiff")] * 2,
    "au": [by_libsndfile("a.au")] * 2,
    "caf": [by_libsndfile("a.caf")] * 2,
    "w64": [by_libsndfile("a.w64")] * 2,
    "m4a": [by_ffmpeg("a.m4a", "aac"), by_ffmpeg("a.m4a", "aac", 24_000)],
    "wma": [by_ffmpeg("a.wma", "wmav2")] * 2,
    "mp3": [by_ffmpeg("a.mp3", "libmp3lame"), by_ffmpeg("a.mp3", "libmp3lame", 24_000)],
    "aac-rates": [by_ffmpeg("a.aac", "aac"), by_ffmpeg("a.aac", "aac", 24_000)],
    "aac-rates-down": [by_ffmpeg("a.aac", "aac", 16_000), by_ffmpeg("a.aac", "aac")],
    "webm": [by_ffmpeg("a.webm", "libopus")] * 2,
    "mkv-tracks": [by_ffmpeg("a.mkv", "libopus"), by_ffmpeg("a.mkv", "libopus", video="mpeg4")],
    "mkv-tracks-3": [
        by_ffmpeg("a.mkv", "libopus"),
        by_ffmpeg("a.mkv", "libopus", video="mpeg4"),
        by_ffmpeg("a.mkv", "libopus"),
    ],
    "flv": [by_ffmpeg("a.flv", "aac")] * 3,
    "amr": [amr, amr, amr],
    "ts": [by_ffmpeg("a.ts", "mp2")] * 2,
    "ts-streams": [FILM, by_ffmpeg("a.ts", "mp2")],
    "ts-streams-back": [by_ffmpeg("a.ts", "mp2"), FILM],
    "ts-codecs": [by_ffmpeg("a.ts", "mp2"), by_ffmpeg("a.ts", "aac")],
}


UP = tone(RATE)
DOWN = np.ascontiguousarray(UP[::-1])


@pytest.mark.parametrize("kind", JOINED)
def test_files_end_to_end_are_read_whole_and_without_a_warning(tmp_path: Path, kind: str) -> None:
    contents = [(DOWN, UP)[number % 2] for number in range(len(JOINED[kind]))]
    path, data = tmp_path / "empty", b""
    for make, content in zip(JOINED[kind], contents, strict=True):
        path = make(tmp_path, content)
        data += path.read_bytes()
    path.write_bytes(data)
    samples, recording = read(path)
    # FFmpeg takes the sound of another program in MPEG-TS for another track, and cannot know that all of it was read.
    assert [warning for warning in recording.warnings if "audio tracks" not in warning] == []
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS * len(contents), abs=0.1 * len(contents))
    size = len(samples) // len(contents)
    for number, content in enumerate(contents if kind != "amr" else []):
        assert likeness(content[::3, 0], samples[number * size : (number + 1) * size]) > 0.9


def test_tags_between_mp3_files_are_not_damage(tmp_path: Path) -> None:
    sound = write(tmp_path / "a.mp3", "libmp3lame", UP, RATE).read_bytes()
    picture = b"ID3\x03\0\0\0\0\x78\0" + b"APIC" + bytes(os.urandom(15_356))
    path = tmp_path / "joined.mp3"
    path.write_bytes(sound + b"TAG".ljust(128, b"\0") + picture + sound + b"TAG".ljust(128, b"\0"))
    samples, recording = read(path)
    assert recording.warnings == []
    assert len(samples) / SAMPLE_RATE == pytest.approx(2 * SECONDS, abs=0.1)


def test_what_is_wrong_with_a_later_recording_is_said_with_its_place(tmp_path: Path) -> None:
    whole = WAV(tmp_path, UP).read_bytes()
    path = tmp_path / "joined.wav"
    path.write_bytes(whole + whole[: len(whole) // 2])
    samples, recording = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.5 * SECONDS, abs=0.1)
    assert recording.warnings == [
        "from 3.0 s on: cut off: the file is shorter than its header says, and ends after 1.5 s"
    ]


def test_a_channel_is_read_by_itself_in_every_recording(tmp_path: Path) -> None:
    both = np.concatenate([UP, DOWN * np.float32(0.5)], axis=1)
    path = tmp_path / "joined.ogg"
    path.write_bytes(b"".join(VORBIS(tmp_path, part).read_bytes() for part in (both, both[:, ::-1])))
    samples, recording = read(path, 2)
    half = len(samples) // 2
    assert recording.channels == 2
    assert rms(samples[:half]) == pytest.approx(rms(samples[half:]) / 2, rel=0.1)


def test_streams_of_ogg_that_run_side_by_side_are_one_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    first_page = b"OggS\0\x02" + bytes(20) + b"\x01\x10" + bytes(16)
    later_page = b"OggS\0\0" + bytes(20) + b"\x01\x10" + bytes(16)
    path.write_bytes(first_page * 3 + later_page * 2 + first_page * 2 + later_page)
    assert list(later_starts(path)) == [len(first_page) * 5]


@pytest.mark.parametrize("shift", [0, 1, 50, 127, 128])
def test_a_beginning_is_found_once_across_blocks(tmp_path: Path, shift: int) -> None:
    path = tmp_path / "a.flac"
    beginning = b"fLaC\0\0\0\x22"
    path.write_bytes(beginning.ljust(BLOCK_BYTES - shift, b"x") + beginning.ljust(BLOCK_BYTES, b"x"))
    assert list(later_starts(path)) == [BLOCK_BYTES - shift]


@pytest.mark.slow
def test_a_track_that_begins_in_the_middle_gets_a_warning(tmp_path: Path) -> None:
    """As it opens MPEG-TS, FFmpeg sees the tracks of the first five megabytes and of the end."""

    def part(pid: str, seconds: float) -> bytes:
        silence, options = np.zeros((round(RATE * seconds), 2), np.float32), {"mpegts_start_pid": pid}
        path = write(tmp_path / "part.ts", "mp2", silence, RATE, bit_rate=384_000, options=options)
        return path.read_bytes()

    long, middle, joined = part("256", 110), part("512", 2), tmp_path / "joined.ts"
    joined.write_bytes(long + middle + long)
    samples, recording = read(joined)
    assert len(samples) / SAMPLE_RATE == pytest.approx(220, abs=1)
    assert recording.warnings == [
        "a track that begins in the middle of the file was not read: transcribe the joined files one by one"
    ]
