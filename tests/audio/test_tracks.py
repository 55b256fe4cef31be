"""One of several audio tracks is read, and a warning names the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.languages import language_of
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.recording import Recording
from funasr_cli.errors import InputError
from tests.audio.test_reader import encode, silent_film, tone
from tests.support.tracks import RATE, NewTrack, write_tracks


def beep(hertz: float, seconds: float = 2.0, level: float = 0.3) -> Samples:
    """A tone, `[n]` at 48 kHz."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)).astype(np.float32)


SILENCE = np.zeros(2 * RATE, np.float32)

ENGLISH = NewTrack(beep(500), "eng", "Main")
CHINESE = NewTrack(beep(1500), "chi", "国语")
HERTZ = {1: 500, 2: 1500, 3: 3000}
"""The tones of the tracks, by their numbers."""


def opened(path: Path, track: int | str | None = None) -> tuple[int, Recording]:
    """The number of the track that is read, by its tone, and the recording."""
    with open_recording(path, track=track) as recording:
        samples = np.concatenate(list(recording.blocks()))
    spectrum = np.abs(np.fft.rfft(samples[:SAMPLE_RATE]))
    (number,) = (number for number, hertz in HERTZ.items() if abs(int(spectrum.argmax()) - hertz) < 20)
    return number, recording


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libopus"), ("a.mp4", "aac"), ("a.mov", "pcm_s16le"), ("a.ts", "mp2")]
)
def test_the_first_track_is_read_and_the_others_are_named(tmp_path: Path, name: str, codec: str) -> None:
    path = write_tracks(tmp_path / name, codec, ENGLISH, CHINESE)
    number, recording = opened(path)
    assert number == 1
    (warning,) = recording.warnings
    assert warning.startswith("has 2 audio tracks: track 1 (eng")
    assert "not transcribed: track 2 (chi" in warning
    assert "--track" in warning


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libopus"), ("a.mp4", "aac")])
def test_the_default_track_is_read_wherever_it_stands(tmp_path: Path, name: str, codec: str) -> None:
    path = write_tracks(tmp_path / name, codec, ENGLISH, CHINESE._replace(is_default=True))
    number, recording = opened(path)
    assert number == 2
    assert recording.warnings == [
        'has 2 audio tracks: track 2 (chi, "国语", default) was transcribed; not transcribed: track 1 (eng, "Main"). '
        "Choose with --track NUMBER."
    ]


CLICK = np.pad(np.float32([0.9, -0.9]), (0, 2 * RATE - 2))
NOISE = np.random.default_rng(1).normal(0, 1e-4, 2 * RATE).astype(np.float32)
LATE = np.pad(beep(500, 0.5), (3 * RATE, 0))


@pytest.mark.parametrize("silent", [SILENCE, CLICK, NOISE], ids=["zeros", "click", "noise"])
@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libopus"), ("a.mp4", "aac"), ("a.ts", "mp2")])
def test_a_default_track_that_is_silent_gives_way(tmp_path: Path, name: str, codec: str, silent: Samples) -> None:
    path = write_tracks(tmp_path / name, codec, NewTrack(silent, "eng", is_default=True), CHINESE)
    number, recording = opened(path)
    assert number == 2
    assert "because track 1 is silent throughout; not transcribed: track 1 (eng" in recording.warnings[0]


def test_a_track_with_sound_only_at_its_end_is_not_silent(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", "libopus", NewTrack(LATE, "eng", is_default=True), CHINESE)
    with open_recording(path) as recording:
        list(recording.blocks())
        assert ": track 1 (eng, default) was transcribed; " in recording.warnings[0]


def test_speech_of_a_peak_of_minus_56_dbfs_is_sound(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", "libopus", NewTrack(beep(500, level=10 ** (-56 / 20))), CHINESE)
    assert opened(path)[0] == 1


def test_the_default_track_is_read_if_all_are_silent(tmp_path: Path) -> None:
    path = write_tracks(
        tmp_path / "a.mkv", "libopus", NewTrack(SILENCE, "eng"), NewTrack(SILENCE, "chi", is_default=True)
    )
    with open_recording(path) as recording:
        list(recording.blocks())
        assert ": track 2 (chi, default) was transcribed; " in recording.warnings[0]


@pytest.mark.parametrize("track", ["zh", "zho", "chi", "CHI", "cmn", "zh-Hans", 2])
def test_a_track_is_asked_for_by_number_or_any_code_of_its_language(tmp_path: Path, track: int | str) -> None:
    path = write_tracks(tmp_path / "a.mkv", "libopus", ENGLISH._replace(is_default=True), CHINESE, NewTrack(beep(3000)))
    number, recording = opened(path, track)
    assert (number, recording.warnings) == (2, [])


def test_of_several_tracks_in_a_language_the_exact_tag_goes_first(tmp_path: Path) -> None:
    tracks = [CHINESE._replace(samples=beep(hertz), language=tag) for hertz, tag in ((500, "zh-CN"), (1500, "zh-TW"))]
    path = write_tracks(tmp_path / "a.mkv", "libopus", *tracks)
    assert opened(path, "zh-TW")[0] == 2
    number, recording = opened(path, "zh")
    assert number == 1
    assert "not transcribed: track 2" in recording.warnings[0]


@pytest.mark.parametrize(("track", "missing"), [(3, "audio track 3"), ("fre", "audio track with language fre")])
def test_a_track_that_is_not_there_is_an_error_that_names_those_that_are(
    tmp_path: Path, track: int | str, missing: str
) -> None:
    path = write_tracks(tmp_path / "a.mkv", "libopus", ENGLISH, CHINESE)
    with pytest.raises(InputError, match=rf'has no {missing}; it has track 1 \(eng, "Main"\), track 2 \(chi, "国语"\)'):
        open_recording(path, track=track)


def test_a_single_track_without_a_language_is_taken_for_any(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", "aac", tone(48_000), 48_000)
    with open_recording(path, track="chi") as recording:
        assert len(list(recording.blocks())) > 1
    labelled = write_tracks(tmp_path / "b.mp4", "aac", ENGLISH)
    with pytest.raises(InputError, match=r"has no audio track with language chi; it has track 1 \(eng"):
        open_recording(labelled, track="chi")
    assert opened(labelled, 1)[1].warnings == []


def test_a_wav_has_one_track(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", "pcm_s16le", tone(48_000), 48_000)
    for track in (1, "chi"):
        open_recording(path, track=track).close()
    with pytest.raises(InputError, match="has no audio track 2: there is only one"):
        open_recording(path, track=2)


def without_decoder(path: Path, track: int) -> None:
    """Give a track of a Matroska file an unknown codec."""
    parts = path.read_bytes().split(b"A_OPUS")
    names = [b"A_OPUS"] * (len(parts) - 1)
    names[track - 1] = b"A_XXXX"
    path.write_bytes(b"".join(part + name for part, name in zip(parts, [*names, b""], strict=True)))


def test_a_track_without_a_decoder_gives_way(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", "libopus", ENGLISH, CHINESE)
    without_decoder(path, 1)
    number, recording = opened(path)
    assert number == 2
    assert "because track 1 cannot be decoded" in recording.warnings[0]
    with pytest.raises(InputError, match=r"no decoder for audio track 1 \(eng"):
        open_recording(path, track=1)


@pytest.mark.parametrize(("tag", "who"), [(b"drms", "iTunes"), (b"enca", "DRM"), (b"aavd", "Audible")])
def test_an_encrypted_track_is_refused(tmp_path: Path, tag: bytes, who: str) -> None:
    path = encode(tmp_path / "a.m4a", "aac", tone(48_000), 48_000)
    path.write_bytes(path.read_bytes().replace(b"mp4a", tag))
    with pytest.raises(InputError, match=rf"encrypted \({who}\)"):
        open_recording(path)


def test_a_film_without_sound_has_no_track(tmp_path: Path) -> None:
    silent_film(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="has no audio track"):
        open_recording(tmp_path / "a.mp4", track="zh")


@pytest.mark.parametrize("codes", ["zh zho chi cmn", "de deu ger", "fr fra fre", "en eng", "nl nld dut", "he heb iw"])
def test_the_codes_of_a_language_are_the_same(codes: str) -> None:
    assert {language_of(code) for code in codes.split()} == {codes.split()[0]}


def test_a_language_that_is_in_no_list_is_itself() -> None:
    assert language_of("yue") == "yue"
    assert language_of("wuu-CN") == "wuu"
