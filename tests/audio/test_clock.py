"""Which gaps between time stamps are silence, and which come from a clock that was reset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.clock import Clock, Kind
from tests.audio.test_reader import SECONDS, read, tone
from tests.support.encoding import write

RATE = 48_000
SOUND = tone(RATE)


def loud(samples: Samples) -> list[float]:
    """Where sound begins and ends, separated by half a second of silence, in seconds."""
    at = np.flatnonzero(np.abs(samples) > 0.05)
    breaks = np.flatnonzero(np.diff(at) > SAMPLE_RATE / 2)
    edges = [at[0], *(edge for place in breaks for edge in (at[place], at[place + 1])), at[-1]]
    return [float(edge) / SAMPLE_RATE for edge in edges]


@pytest.mark.parametrize("jump", [-3600.0, -5.0, -1.5, 30.0, 3600.0, 95_000.0])
@pytest.mark.parametrize(("container", "codec"), [("mpegts", "mp2"), ("mpegts", "aac"), ("mpeg", "mp2")])
def test_a_clock_that_jumps_makes_no_silence(tmp_path: Path, container: str, codec: str, jump: float) -> None:
    first = write(tmp_path / "1", codec, SOUND, RATE, container=container, start=4000.0)
    second = write(tmp_path / "2", codec, SOUND, RATE, container=container, start=4000.0 + SECONDS + jump)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    samples, recording = read(path)
    assert recording.warnings == []
    assert len(samples) / SAMPLE_RATE == pytest.approx(2 * SECONDS, abs=0.1)
    assert loud(samples) == pytest.approx([0, 2 * SECONDS], abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [
        ("a.mkv", "libopus", ""),
        ("a.mkv", "libopus", "mpeg4"),
        ("a.m4a", "aac", ""),
        ("a.mp4", "aac", "mpeg4"),
        ("a.wma", "wmav2", ""),
        ("a.flv", "aac", "flv"),
        ("a.ts", "mp2", "mpeg2video"),
    ],
)
def test_a_hole_that_the_container_means_is_silence(tmp_path: Path, name: str, codec: str, video: str) -> None:
    path = write(tmp_path / name, codec, SOUND, RATE, hole=(1.5, 20.0), video=video, video_seconds=25.0)
    samples, recording = read(path)
    assert recording.warnings == []
    assert loud(samples) == pytest.approx([0, 1.5, 21.5, 23], abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [("a.mkv", "aac", "mpeg4"), ("a.mp4", "aac", "mpeg4"), ("a.wmv", "wmav2", "wmv2"), ("a.ts", "mp2", "mpeg2video")],
)
def test_a_track_that_starts_late_starts_late(tmp_path: Path, name: str, codec: str, video: str) -> None:
    path = write(tmp_path / name, codec, SOUND, RATE, start=12.0, video=video, video_seconds=20.0)
    samples, recording = read(path)
    assert recording.warnings == []
    assert loud(samples) == pytest.approx([12, 15], abs=0.1)


@pytest.mark.parametrize("seconds", [0.5, 3.0, 9.0])
def test_a_short_gap_in_a_clock_that_may_jump_is_silence(tmp_path: Path, seconds: float) -> None:
    path = write(tmp_path / "a.ts", "mp2", SOUND, RATE, hole=(1.5, seconds))
    samples, _ = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS + seconds, abs=0.1)


@pytest.mark.parametrize("rates", [(48_000, 16_000), (16_000, 48_000), (24_000, 44_100, 24_000)])
def test_adts_that_changes_its_rate_is_not_chopped(tmp_path: Path, rates: tuple[int, ...]) -> None:
    path = tmp_path / "joined.aac"
    parts = [write(tmp_path / f"{rate}.aac", "aac", tone(rate), rate).read_bytes() for rate in rates]
    path.write_bytes(b"".join(parts))
    samples, recording = read(path)
    assert recording.warnings == []
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS * len(rates), abs=0.1 * len(rates))
    level = np.abs(samples[: len(samples) // 160 * 160]).reshape(-1, 160).max(axis=1)
    assert np.count_nonzero(level < 0.01) <= 10 * len(rates)  # hundredths of a second, at the seams


def test_a_steady_clock_is_believed_up_to_the_end_of_the_recording() -> None:
    clock = Clock(Kind.STEADY, 2.0, 100.0)
    assert clock.gap(2.0, 0.0) == 0
    assert clock.gap(2.05, 0.0) == 0
    assert clock.gap(62.0, 1.0) == 59
    assert clock.gap(3.0, 60.0) == 0
    assert clock.gap(9999.0, 60.0) == 0
    assert clock.gap(None, 60.0) == 0


def test_a_clock_that_may_jump_goes_on_from_where_it_was_set() -> None:
    clock = Clock(Kind.JUMPING, 2.0, None)
    assert clock.gap(7.0, 0.0) == 5  # the track starts late
    assert clock.gap(3600.0, 6.0) == 0
    assert clock.gap(3601.0, 6.5) == 0.5
    assert clock.gap(10.0, 7.0) == 0
    assert clock.gap(13.0, 8.0) == 2


def test_what_is_only_counted_has_no_gaps() -> None:
    assert Clock(Kind.NONE, 0.0, None).gap(5.0, 1.0) == 0


@pytest.mark.parametrize(
    ("stamps", "gap"),
    [
        ([99.0, 101.0, 104.0, 109.0, 115.0, 120.0, 129.0], 29.0),
        ([99.0, 100.0, 128.0, 129.0], 0.0),
        ([99.0, 100.0], 0.0),
        ([], 0.0),
    ],
)
def test_a_clock_that_went_on_for_the_pictures_has_not_jumped(stamps: list[float], gap: float) -> None:
    clock = Clock(Kind.JUMPING, 99.0, None)
    clock.gap(99.0, 0.0)
    for stamp in stamps:
        clock.see(stamp)
    assert clock.gap(129.0, 1.0) == gap
