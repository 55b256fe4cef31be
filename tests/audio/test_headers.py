"""The length in a header and the length of the sound: all of it is read, and only real differences give a warning."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.extents import extents
from funasr_cli.audio.reader import open_recording
from tests.audio.test_reader import likeness, read, tone
from tests.support.encoding import write

SECONDS = 11.0
SOUND = tone(16_000, seconds=SECONDS)

Write = Callable[[Path], object]


def patched(path: Path, after: bytes, skip: int, content: bytes) -> None:
    """Overwrite what follows `skip` bytes after the first `after` in a file."""
    data = bytearray(path.read_bytes())
    at = data.index(after) + len(after) + skip
    data[at : at + len(content)] = content
    path.write_bytes(data)


def wav(path: Path, size: int, sound: Samples = SOUND, rate: int = 16_000, subtype: str = "PCM_16") -> None:
    """A WAV file whose header declares `size` bytes of sound."""
    soundfile.write(path, sound, rate, subtype=subtype)
    patched(path, b"data", 0, struct.pack("<I", size))
    patched(path, b"RIFF", 0, struct.pack("<I", min(size + 36, 2**32 - 1)))


def other(path: Path, kind: str, after: bytes, skip: int, size: bytes) -> None:
    soundfile.write(path, SOUND, 16_000, format=kind)
    patched(path, after, skip, size)


W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")

TOO_SHORT: dict[str, Write] = {
    "pcm-16.wav": lambda path: wav(path, 3 * 32_000),
    "pcm-24-stereo.wav": lambda path: wav(path, 3 * 6 * 44_100, tone(44_100, 2, SECONDS), 44_100, "PCM_24"),
    "float.wav": lambda path: wav(path, 3 * 64_000, subtype="FLOAT"),
    "ulaw-8k.wav": lambda path: wav(path, 3 * 8_000, tone(8_000, 1, SECONDS), 8_000, "ULAW"),
    "ima-adpcm.wav": lambda path: wav(path, 512 * 47, subtype="IMA_ADPCM"),
    "a.rf64": lambda path: other(path, "RF64", b"ds64", 12, struct.pack("<q", 96_000)),
    "a.w64": lambda path: other(path, "W64", b"data" + W64, 0, struct.pack("<q", 96_024)),
    "a.aiff": lambda path: other(path, "AIFF", b"SSND", 0, struct.pack(">I", 96_008)),
    "a.caf": lambda path: other(path, "CAF", b"data", 0, struct.pack(">q", 96_004)),
    "a.au": lambda path: other(path, "AU", b".snd", 4, struct.pack(">I", 96_000)),
}


@pytest.mark.parametrize("name", TOO_SHORT)
def test_sound_beyond_what_the_header_says_is_read_with_a_warning(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    TOO_SHORT[name](path)
    samples, recording = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    assert likeness(SOUND[:, 0], samples) > 0.99
    (warning,) = recording.warnings
    assert re.fullmatch(r"the header declares 3\.0 s, but the file holds 11\.[01] s; all of it was read", warning)


def test_sound_beyond_the_header_is_the_same_sample_for_sample(tmp_path: Path) -> None:
    wav(tmp_path / "short.wav", 96_000)
    soundfile.write(tmp_path / "whole.wav", SOUND, 16_000)
    assert np.array_equal(read(tmp_path / "short.wav")[0], read(tmp_path / "whole.wav")[0])


LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT\x0e\0\0\0Lavf62.12.102\0"


@pytest.mark.parametrize(
    "tail",
    [
        LIST,
        b"TAG".ljust(128, b"x"),
        bytes(5000),
        LIST + b"id3 \x10\x27\0\0" + bytes(range(250)) * 40,
        b"junk at the end",
    ],
    ids=["list", "id3v1", "zeros", "list-id3", "short"],
)
@pytest.mark.parametrize("samples", [16_000, 16_001])
def test_what_programs_put_after_the_sound_is_neither_sound_nor_a_reason_to_warn(
    tmp_path: Path, tail: bytes, samples: int
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, SOUND[:samples], 16_000, subtype="PCM_U8")
    path.write_bytes(path.read_bytes() + tail)
    heard, recording = read(path)
    assert len(heard) == samples
    assert recording.warnings == []


GIB = 2**30


@pytest.mark.parametrize("tail", [b"", LIST], ids=["bare", "list"])
@pytest.mark.parametrize(
    ("size", "promised"), [(1_000_000, 1_000_000 / (4 * GIB + 1_000_000)), (2**32 - 1, None), (0, None)]
)
def test_more_than_4_gib_of_sound_are_read_to_the_end(
    tmp_path: Path, size: int, promised: float | None, tail: bytes
) -> None:
    """The file is sparse: nearly all of it is silence that occupies no space."""
    path = tmp_path / "a.wav"
    wav(path, size, SOUND[:0])
    start, end = path.stat().st_size, path.stat().st_size + 4 * GIB + 1_000_000
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(range(1, 256)) * 8)
        file.seek(end - 4)
        file.write(b"last" + tail)
    (found,) = extents(path)
    assert found.promised == (None if promised is None else pytest.approx(promised))
    with found.part(path) as part:
        part.seek(-4 - (len(tail) if promised is None else 0), os.SEEK_END)
        assert part.read(4) == b"last"
        part.seek(0)
        assert part.read(start)[-8:] == b"data\xff\xff\xff\xff"
    with open_recording(path) as recording:
        assert recording.duration == pytest.approx((4 * GIB + 1_000_000) / 32_000, abs=0.1)


def test_less_than_4_gib_with_a_wrapped_header_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wav(path, 3 * 32_000)
    with path.open("ab") as file:
        file.write(LIST)
    samples, recording = read(path)
    assert len(samples) == pytest.approx(SECONDS * SAMPLE_RATE, abs=SAMPLE_RATE * 0.01)
    assert len(recording.warnings) == 1


UNKNOWN: dict[str, Write] = {
    "ffffffff.wav": lambda path: wav(path, 2**32 - 1),
    "minus-header.wav": lambda path: wav(path, 2**32 - 1 - 36),
    "sox.wav": lambda path: wav(path, 0x7FFFF000),
    "arecord.wav": lambda path: wav(path, 0x80000000),
    "zero.wav": lambda path: wav(path, 0),
    "zero.rf64": lambda path: other(path, "RF64", b"ds64", 12, bytes(8)),
    "ffffffff.au": lambda path: other(path, "AU", b".snd", 4, b"\xff" * 4),
    "zero.aiff": lambda path: write(path, "pcm_s16be", SOUND, 16_000, piped=True, container="aiff", bit_rate=0),
    "a.w64": lambda path: write(path, "pcm_s16le", SOUND, 16_000, piped=True, container="w64", bit_rate=0),
    "a.caf": lambda path: write(path, "pcm_s16be", SOUND, 16_000, piped=True, container="caf", bit_rate=0),
    "a.au": lambda path: write(path, "pcm_s16be", SOUND, 16_000, piped=True, container="au", bit_rate=0),
    "a.wav": lambda path: write(path, "pcm_s16le", SOUND, 16_000, piped=True, container="wav", bit_rate=0),
    "ima.wav": lambda path: write(path, "adpcm_ima_wav", SOUND, 16_000, piped=True, container="wav", bit_rate=0),
    "mp3.wav": lambda path: write(path, "libmp3lame", SOUND, 16_000, piped=True, container="wav"),
    "a.flac": lambda path: write(path, "flac", SOUND, 16_000, piped=True, container="flac", bit_rate=0),
    "a.mkv": lambda path: write(path, "libopus", tone(48_000, 1, SECONDS), 48_000, piped=True, container="matroska"),
    "a.wma": lambda path: write(path, "wmav2", SOUND, 16_000, piped=True, container="asf"),
    "a.flv": lambda path: write(path, "aac", SOUND, 16_000, piped=True, container="flv"),
    "a.avi": lambda path: write(path, "pcm_s16le", SOUND, 16_000, piped=True, container="avi", bit_rate=0),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_length_that_the_writer_did_not_know_is_no_reason_to_warn(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    UNKNOWN[name](path)
    samples, recording = read(path)
    assert recording.warnings == []
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)


SILENCE_FIRST = np.concatenate([np.zeros((60 * 16_000, 1), np.float32), SOUND])

WHOLE: dict[str, Write] = {
    "vbr.mp3": lambda path: write(
        path,
        "libmp3lame",
        SILENCE_FIRST,
        16_000,
        bit_rate=0,
        options={"write_xing": "0"},
        codec_options={"flags": "+qscale", "global_quality": "354"},
    ),
    "ima.wav": lambda path: write(path, "adpcm_ima_wav", SOUND, 16_000, bit_rate=0),
    "ms.wav": lambda path: write(path, "adpcm_ms", SOUND, 16_000, bit_rate=0),
    "ms.w64": lambda path: soundfile.write(path, SOUND, 16_000, subtype="MS_ADPCM"),
    "late.wmv": lambda path: write(path, "wmav2", SOUND, 16_000, video="wmv2", start=5.0),
    "long.wmv": lambda path: write(path, "wmav2", SOUND, 16_000, video="wmv2", video_seconds=30.0),
    "late.avi": lambda path: write(path, "libmp3lame", SOUND, 16_000, video="mpeg4", start=5.0),
    "long.avi": lambda path: write(path, "pcm_s16le", SOUND, 16_000, video="mpeg4", video_seconds=30.0),
    "long.mkv": lambda path: write(path, "aac", SOUND, 16_000, video="mpeg4", video_seconds=30.0),
    "long.ts": lambda path: write(path, "mp2", SOUND, 16_000, video="mpeg2video", video_seconds=30.0),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_not_called_cut_off(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WHOLE[name](path)
    samples, recording = read(path)
    assert recording.warnings == []
    assert likeness(SOUND[:, 0], samples) > 0.98


CUT = {
    "a.wav": ("pcm_s16le", {}),
    "ima.wav": ("adpcm_ima_wav", {}),
    "a.w64": ("pcm_s16le", {}),
    "a.aiff": ("pcm_s16be", {}),
    "a.caf": ("pcm_s16be", {}),
    "a.au": ("pcm_s16be", {}),
    "a.flac": ("flac", {}),
    "a.mp3": ("libmp3lame", {}),
    "mp3.wav": ("libmp3lame", {}),
    "a.mkv": ("aac", {}),
    "film.mkv": ("aac", {"video": "mpeg4"}),
    "a.wma": ("wmav2", {}),
    "a.wmv": ("wmav2", {"video": "wmv2"}),
    "a.avi": ("libmp3lame", {"video": "mpeg4"}),
    "a.flv": ("aac", {}),
    "a.mp4": ("aac", {"options": {"movflags": "faststart"}}),
    "fragments.mp4": ("aac", {"options": {"movflags": "frag_keyframe+empty_moov", "frag_duration": "1000000"}}),
}


@pytest.mark.parametrize("name", CUT)
def test_a_file_of_any_kind_that_is_cut_off_is_read_with_a_warning(tmp_path: Path, name: str) -> None:
    codec, how = CUT[name]
    path = write(tmp_path / name, codec, SOUND, 16_000, bit_rate=0 if "pcm" in codec else 64_000, **how)  # type: ignore[arg-type]
    os.truncate(path, path.stat().st_size * 2 // 3)
    samples, recording = read(path)
    assert 4 < len(samples) / SAMPLE_RATE < 10
    assert sum("cut off" in warning for warning in recording.warnings) == 1


@pytest.mark.parametrize("name", ["a.wav", "misnamed.wav", "misnamed"])
def test_mpeg_audio_of_any_name_leaves_nothing_on_stderr(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / name, "libmp3lame", SOUND, 16_000, container="wav" if name == "a.wav" else "mp3")
    data = bytearray(path.read_bytes())
    for at in range(5_000, len(data), 3_000):
        data[at : at + 10] = b"\x55" * 10
    path.write_bytes(data)
    samples, _ = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=1.5)
    assert capfd.readouterr() == ("", "")


def test_a_flac_file_that_holds_more_than_it_says_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, SOUND, 16_000)
    whole = read(path)[0]
    data = bytearray(path.read_bytes())
    data[21:26] = bytes([data[21] & 0xF0]) + (48_000).to_bytes(4, "big")
    path.write_bytes(data)
    samples, recording = read(path)
    assert np.array_equal(samples, whole)
    assert any("3.0 s" in warning for warning in recording.warnings)


def test_a_flac_file_damaged_in_the_middle_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000 * 60).astype(np.float32)
    soundfile.write(path, noise, 16_000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    samples, recording = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(60, abs=0.3)
    assert np.allclose(samples[-SAMPLE_RATE:], noise[-SAMPLE_RATE:], atol=1e-3)
    assert any("damaged" in warning for warning in recording.warnings)


def test_bytes_that_no_reader_came_to_are_reported_with_their_place(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, SOUND.shape).astype(np.float32)
    path = write(tmp_path / "a.tta", "tta", noise, 16_000, bit_rate=0)
    path.write_bytes(path.read_bytes() * 2)
    samples, recording = read(path)
    assert len(samples) / SAMPLE_RATE == SECONDS
    (warning,) = recording.warnings
    expected = r"\d{6} bytes after 11\.0 s were not read; if they contain audio, convert the file to WAV"
    assert re.fullmatch(expected, warning)
