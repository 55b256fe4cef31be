"""Recordings read by FFmpeg: unchanged samples, each gap filled once, damage counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

import av
import numpy as np
import pytest

from funasr_cli.arrays import Samples
from funasr_cli.audio.container import MIN_UNREAD_BYTES, ContainerRecording
from funasr_cli.errors import InputError
from tests.audio.test_reader import SECONDS, silent_film, tone
from tests.support.encoding import write
from tests.support.tracks import NewTrack, write_tracks

RATE = 48_000
SOUND = tone(RATE)


def read(path: Path) -> tuple[list[tuple[int, Samples]], ContainerRecording]:
    """The native blocks of the file, and the recording after reading them."""
    with ContainerRecording(path, None) as recording:
        blocks = list(recording._native())
        recording.finish(seconds(blocks))
    return blocks, recording


def seconds(blocks: list[tuple[int, Samples]]) -> float:
    return sum(len(block) / rate for rate, block in blocks)


LEVELS = np.array([0, 0.5, -0.5, 63 / 64, -1, 1 / 64, 0.25, -0.125], np.float32)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mov", "pcm_u8"),
        ("a.mov", "pcm_s16le"),
        ("a.mov", "pcm_s24le"),
        ("a.mov", "pcm_s32le"),
        ("a.nut", "pcm_s64le"),
        ("a.mov", "pcm_f32le"),
        ("a.mov", "pcm_f64le"),
        ("a.m4a", "alac"),  # planar integers
    ],
)
def test_samples_are_what_was_written(tmp_path: Path, name: str, codec: str, channels: int) -> None:
    expected = np.tile(LEVELS, 600)[:, np.newaxis] * np.array([1, -0.5][:channels], np.float32)
    if codec == "pcm_u8":
        expected = np.round(expected * 64) / 64
    blocks, recording = read(write(tmp_path / name, codec, expected, RATE, bit_rate=0))
    found = np.concatenate([block for _, block in blocks])
    assert (recording.channels, found.dtype, found.shape) == (channels, np.float32, expected.shape)
    np.testing.assert_allclose(found, np.minimum(expected, 1), atol=2e-5 if channels == 2 else 0)


def test_frames_are_joined_to_blocks_of_a_second(tmp_path: Path) -> None:
    blocks, _ = read(write(tmp_path / "a.mka", "aac", tone(RATE, seconds=3.5), RATE))
    assert len(blocks) == 4
    assert all(rate == RATE and RATE <= len(block) <= RATE + 1024 for rate, block in blocks[:-1])


def test_a_gap_is_filled_once_a_second_at_a_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mka", "aac", SOUND, RATE, hole=(1.5, 2.5))
    blocks, _ = read(path)
    assert seconds(blocks) == pytest.approx(SECONDS + 2.5, abs=0.05)
    assert max(len(block) for _, block in blocks) <= RATE + 1024
    silent = [len(block) / RATE for _, block in blocks if not block.any()]
    assert silent == [1, 1, pytest.approx(0.5, abs=0.05)]


def test_each_of_several_gaps_is_filled(tmp_path: Path) -> None:
    whole, several = write(tmp_path / "whole.mka", "aac", SOUND, RATE), tmp_path / "a.mka"
    remade(whole, several, lambda number, packet: None if number % 40 > 30 else packet)
    blocks, _ = read(several)
    assert seconds(blocks) == pytest.approx(SECONDS, abs=0.1)
    assert sum(len(block) for _, block in blocks if not block.any()) / RATE == pytest.approx(
        3 * 9 * 1024 / RATE, abs=0.1
    )


def remade(source: Path, target: Path, change: Callable[[int, bytes], bytes | None]) -> int:
    """Rewrite the packets with `change(number, content)`, and return how many there are."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        track, number = new.add_stream_from_template(old.streams.audio[0]), -1
        for number, packet in enumerate(packet for packet in old.demux(audio=0) if packet.size):
            content = change(number, bytes(packet))
            if content is not None:
                made = av.Packet(content)
                made.pts, made.dts, made.time_base, made.duration = (
                    packet.pts,
                    packet.dts,
                    packet.time_base,
                    packet.duration,
                )
                made.stream = track
                new.mux(made)
    return number + 1


def damaged(numbers: Collection[int]) -> Callable[[int, bytes], bytes]:
    return lambda number, content: b"\xff" * len(content) if number in numbers else content


@pytest.mark.parametrize("name", ["a.mka", "a.m4a"])
def test_damaged_packets_are_counted_and_become_silence(tmp_path: Path, name: str) -> None:
    whole = write(tmp_path / f"whole-{name}", "aac", SOUND, RATE)
    count = remade(whole, tmp_path / name, damaged({20, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59}))
    blocks, recording = read(tmp_path / name)
    assert recording.warnings == ["11 damaged packets were skipped"]
    assert seconds(blocks) == pytest.approx(SECONDS, abs=0.05)
    remade(whole, tmp_path / name, damaged({count - 3, count - 2, count - 1}))
    assert read(tmp_path / name)[1].warnings == ["3 damaged packets were skipped"]
    remade(whole, tmp_path / name, damaged({30, count - 1}))
    assert read(tmp_path / name)[1].warnings == ["2 damaged packets were skipped"]


def adts_frames(path: Path) -> list[int]:
    """Where the frames of an AAC file begin."""
    data, at, frames = path.read_bytes(), 0, list[int]()
    while at < len(data):
        frames.append(at)
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return frames


def test_packets_that_are_damaged_before_any_sound_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.aac", "aac", SOUND, RATE)
    data, frames = bytearray(path.read_bytes()), adts_frames(path)
    for number in (0, 1, 2, 50):
        start, end = frames[number] + 7, frames[number + 1]
        data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    assert read(path)[1].warnings == ["4 damaged packets were skipped"]


def test_a_container_that_ends_within_a_header_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.aac", "aac", SOUND, RATE)
    os.truncate(path, adts_frames(path)[100] + 3)
    blocks, recording = read(path)
    assert seconds(blocks) == pytest.approx(100 * 1024 / RATE, abs=0.05)
    assert recording.warnings == []


def test_a_place_that_cannot_be_passed_cuts_the_recording_off(tmp_path: Path) -> None:
    """A frame that declares a length of zero."""
    path = write(tmp_path / "a.aac", "aac", SOUND, RATE)
    data, at = bytearray(path.read_bytes()), adts_frames(path)[60]
    data[at + 3] &= 0xFC
    data[at + 4] = 0
    data[at + 5] &= 0x1F
    path.write_bytes(data)
    blocks, recording = read(path)
    assert seconds(blocks) == pytest.approx(60 * 1024 / RATE, abs=0.1)
    (warning,) = recording.warnings
    assert warning.startswith("cut off: the end of the container is damaged (Invalid data")


@pytest.mark.parametrize(
    ("name", "codec", "video", "is_exact"),
    [
        ("a.m4a", "aac", "", True),
        ("a.mp4", "aac", "mpeg4", True),
        ("a.oga", "flac", "", True),
        ("a.mka", "aac", "", True),
        ("a.mkv", "aac", "mpeg4", False),
        ("a.flv", "aac", "", True),
        ("a.flv", "aac", "flv", False),
        ("a.ts", "mp2", "", False),
        ("a.wma", "wmav2", "", False),
    ],
)
def test_a_length_is_known_and_exact_if_the_header_states_that_of_the_sound(
    tmp_path: Path, name: str, codec: str, video: str, *, is_exact: bool
) -> None:
    container = "ogg" if name.endswith("oga") else None
    path = write(tmp_path / name, codec, SOUND, RATE, video=video, video_seconds=8.0, container=container)
    with ContainerRecording(path, None) as recording:
        assert recording.duration is not None
        assert recording.promised == (recording.duration if is_exact else None)
        length = 8 if video and name != "a.mp4" and recording._stream.duration is None else SECONDS
        assert recording.duration == pytest.approx(length, abs=0.1)


def test_a_length_that_nobody_knows_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wmv", "wmav2", SOUND, RATE, video="wmv2")
    os.truncate(path, path.stat().st_size * 2 // 3)
    blocks, recording = read(path)
    assert (recording.duration, recording.promised) == (None, None)
    assert seconds(blocks) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("name", "codec", "start"), [("a.mp4", "aac", 0.0), ("a.ts", "mp2", 4000.0)])
def test_a_length_counts_from_the_start_of_the_recording(tmp_path: Path, name: str, codec: str, start: float) -> None:
    video = "mpeg4" if name == "a.mp4" else ""
    late = 12.0 if video else start
    path = write(tmp_path / name, codec, SOUND, RATE, start=late, video=video, video_seconds=20.0)
    with ContainerRecording(path, None) as recording:
        assert recording.duration == pytest.approx(12 + SECONDS if video else SECONDS, abs=0.1)


@pytest.mark.parametrize("bytes_after", [MIN_UNREAD_BYTES // 2, 3 * MIN_UNREAD_BYTES])
def test_what_follows_the_sound_is_told_if_it_is_long(tmp_path: Path, bytes_after: int) -> None:
    path = write(tmp_path / "a.mov", "pcm_s16le", SOUND, RATE)
    path.write_bytes(path.read_bytes() + np.random.default_rng(0).bytes(bytes_after))
    warnings = [warning.partition(" ")[2] for warning in read(path)[1].warnings]
    expected = "bytes after 3.0 s were not read; if they contain audio, convert the file to WAV"
    assert warnings == [expected] * (bytes_after > MIN_UNREAD_BYTES)


def test_the_track_that_is_chosen_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    quiet, loud = (NewTrack(np.full(RATE, level, np.float32)) for level in (0.25, 0.5))
    path = write_tracks(tmp_path / "a.mov", "pcm_s16le", quiet, loud._replace(is_default=True), quiet)
    blocks, recording = read(path)
    assert {float(level) for _, block in blocks for level in np.unique(block)} == {0.5}
    (warning,) = recording.warnings
    assert warning.startswith("has 3 audio tracks: track 2 (default) was transcribed")
    with ContainerRecording(path, None, track=1) as first:
        assert {float(level) for _, block in first._native() for level in np.unique(block)} == {0.25}
        assert first.warnings == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_file_stays_open(tmp_path: Path) -> None:
    before = open_files()
    path = write(tmp_path / "a.mov", "pcm_f32le", SOUND * 9, RATE)
    recording = ContainerRecording(path, None)
    assert open_files() == before + 1
    recording.close()
    assert open_files() == before
    silent_film(tmp_path / "film.mp4")
    with pytest.raises(InputError):
        ContainerRecording(tmp_path / "film.mp4", None)
    assert open_files() == before
