"""Channels that would cancel each other are not averaged; all others are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.mixing import Place, mean_of, mixed, mixing_warnings
from funasr_cli.audio.reader import open_recording
from tests.conftest import SAMPLES
from tests.support.meetings import samples_of

SPEECH, OTHER = samples_of(SAMPLES / "energy-report.flac"), samples_of(SAMPLES / "railway-station.flac")
LENGTH = min(len(SPEECH), len(OTHER))
SPEECH, OTHER = SPEECH[:LENGTH], OTHER[:LENGTH]
SECONDS = LENGTH / SAMPLE_RATE
SILENT = np.zeros_like(SPEECH)


def noise(level: float, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0, level, LENGTH).astype(np.float32)


def late(samples: Samples, seconds: float) -> Samples:
    """`samples` after a delay, which may be a fraction of a sample."""
    spectrum = np.fft.rfft(np.pad(samples, (0, SAMPLE_RATE)))
    turns = np.fft.rfftfreq(LENGTH + SAMPLE_RATE) * SAMPLE_RATE * seconds
    return np.fft.irfft(spectrum * np.exp(-2j * np.pi * turns))[:LENGTH].astype(np.float32)


def hum(frequency: float = 50.0, level: float = 0.2) -> Samples:
    return (level * np.sin(2 * np.pi * frequency * np.arange(LENGTH) / SAMPLE_RATE)).astype(np.float32)


def mix(channels: Sequence[Samples], cuts: Sequence[int] | None = None) -> tuple[Samples, list[Place]]:
    """The mean of `channels`, in blocks that end at `cuts` or of one second each; and what was turned down."""
    whole = np.stack(channels, axis=1)
    places: list[Place] = []
    blocks = np.split(whole, range(SAMPLE_RATE, LENGTH, SAMPLE_RATE) if cuts is None else sorted(cuts))
    mean = np.concatenate([mean for _, mean in mixed(((SAMPLE_RATE, block) for block in blocks), places)])
    assert len(mean) == LENGTH
    return mean, places


def likeness(one: Samples, other: Samples) -> float:
    return float(np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other)))


RMS = float(np.sqrt(np.mean(SPEECH**2)))

CANCELLED: dict[str, list[Samples]] = {
    "inverted": [SPEECH, -SPEECH],
    "of 0.7 of the level": [SPEECH, -0.7 * SPEECH],
    "of half the level": [-0.5 * SPEECH, SPEECH],
    "with noise 10 dB below": [SPEECH + noise(RMS / 3.2), -SPEECH + noise(RMS / 3.2, 2)],
    "with noise in one channel": [-SPEECH + noise(RMS / 2), SPEECH],
    "with hum in both": [SPEECH + hum(), -SPEECH + hum()],
    "with hum in one": [SPEECH + hum(100), -SPEECH],
    "a bit late": [SPEECH, -late(SPEECH, 5e-5)],
    "a pair of six": [SPEECH, -SPEECH, SILENT, SILENT, SILENT, SILENT],
    "two pairs of six": [SPEECH, -SPEECH, SILENT, SILENT, 0.5 * OTHER, -0.5 * OTHER],
    "at 8 % of the level of full scale in 16 bits": [np.round(2000 * SPEECH) / 32768, np.round(-2000 * SPEECH) / 32768],
}

ORDINARY: dict[str, list[Samples]] = {
    "one sound": [SPEECH, SPEECH],
    "one of six inverted": [SPEECH, SPEECH, SPEECH, -SPEECH, SPEECH, SPEECH],
    "a talker on each side": [SPEECH, OTHER],
    "silence on one side": [SILENT, SPEECH],
    "hum on one side": [hum(), SPEECH],
    "noise": [noise(0.1), noise(0.1, 2)],
    "two microphones": [SPEECH + 0.5 * OTHER, late(SPEECH, 4e-4) + 0.7 * late(OTHER, 9e-4)],
    "two microphones far apart": [SPEECH, late(SPEECH, 3e-3)],
    "wide": [SPEECH + 0.5 * OTHER, SPEECH - 0.5 * OTHER],
    "digital silence": [SILENT, SILENT],
    "four": [SPEECH, late(SPEECH, 1e-3), OTHER, noise(0.01)],
}


def named(cases: dict[str, list[Samples]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("channels", [pytest.param(channels, id=name) for name, channels in cases.items()])


@named(CANCELLED)
def test_a_voice_is_not_cancelled(channels: list[Samples]) -> None:
    mean, places = mix(channels)
    speech = [channel for channel in channels if channel.any() and abs(likeness(channel, SPEECH)) > 0.5]
    assert max(abs(likeness(mean, channel)) for channel in speech) > 0.85
    assert np.sqrt(np.mean(mean**2)) > 0.15 * max(np.sqrt(np.mean(channel**2)) for channel in channels)
    assert places[0][0] < 0.3
    assert places[-1][1] == pytest.approx(SECONDS, abs=2.5)


@named(ORDINARY)
def test_all_else_is_the_mean_bit_for_bit(channels: list[Samples]) -> None:
    mean, places = mix(channels)
    blocks = np.split(np.stack(channels, axis=1), range(SAMPLE_RATE, LENGTH, SAMPLE_RATE))
    expected = np.concatenate([block @ np.full(len(channels), 1 / len(channels), np.float32) for block in blocks])
    assert np.array_equal(mean, expected)
    assert places == []


def test_an_inverted_pair_is_its_first_channel() -> None:
    mean, places = mix([SPEECH, -SPEECH])
    np.testing.assert_allclose(mean[SAMPLE_RATE:], SPEECH[SAMPLE_RATE:], atol=1e-6)
    assert places == [(pytest.approx(0, abs=0.3), pytest.approx(SECONDS), (2,))]


def test_the_channel_with_less_noise_is_taken() -> None:
    assert mix([SPEECH, -SPEECH + noise(RMS / 2)])[1][0][2] == (2,)
    assert mix([SPEECH + noise(RMS / 2), -SPEECH])[1][0][2] == (1,)


@pytest.mark.parametrize("edges", [(2.03, 4.4), (0.0, 2.5), (3.0, SECONDS), (SECONDS - 0.7, SECONDS)])
def test_a_passage_is_taken_from_where_it_begins_without_a_click(edges: tuple[float, float]) -> None:
    begin, end = (round(edge * SAMPLE_RATE) for edge in edges)
    second = SPEECH.copy()
    second[begin:end] *= -1
    mean, places = mix([SPEECH, second])
    assert [place[2] for place in places] == [(2,)]
    step = 0.05
    assert places[0][0] == pytest.approx(edges[0], abs=2 * step)
    # No sample of the voice is lost except the rest of a step, and nothing is more than one and a half times as loud.
    lost = (np.abs(mean) < 0.9 * np.abs(SPEECH)) & (np.abs(SPEECH) > 0.05)
    assert lost[: max(0, begin - 1)].sum() == lost[begin + round(2 * step * SAMPLE_RATE) :].sum() == 0
    jumps = np.abs(np.diff(mean - SPEECH))
    assert jumps.max() <= 1.5 * np.abs(np.diff(SPEECH)).max()


def test_words_of_one_channel_alone_are_not_lost_in_such_a_passage() -> None:
    second = -SPEECH.copy()
    second[LENGTH // 2 :] = OTHER[LENGTH // 2 :]
    first = SPEECH.copy()
    first[LENGTH // 2 :] = 0
    mean, _ = mix([first, second])
    assert likeness(mean[LENGTH // 2 + 100 :], OTHER[LENGTH // 2 + 100 :]) > 0.7
    assert np.abs(mean[-SAMPLE_RATE:]).max() > 0.2 * np.abs(OTHER[-SAMPLE_RATE:]).max()


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, LENGTH), max_size=12))
def test_what_is_done_does_not_depend_on_the_blocks(cuts: list[int]) -> None:
    second = SPEECH.copy()
    second[round(2.03 * SAMPLE_RATE) : round(4.4 * SAMPLE_RATE)] *= -1
    whole, places = mix([SPEECH, second], [])
    mean, found = mix([SPEECH, second], cuts)
    assert found == places
    np.testing.assert_allclose(mean, whole, atol=1e-6)


def test_samples_that_are_no_numbers_do_no_harm() -> None:
    first, second = SPEECH.copy(), -SPEECH
    first[20_000], second[40_000], second[40_001] = np.nan, np.inf, 3e38
    mean, places = mix([first, second])
    assert np.isfinite(np.delete(mean, [20_000, 40_000])).all()
    assert {which for _, _, which in places} == {(2,)}


def test_channels_in_either_order_of_memory_are_measured_alike() -> None:
    block = np.stack([SPEECH, -SPEECH, SPEECH], axis=1)
    one, other = list[Place](), list[Place]()
    list(mixed([(44_100, block)], one))
    list(mixed([(44_100, np.asfortranarray(block))], other))
    assert one == other


def test_a_stream_that_changes_begins_anew() -> None:
    stereo = np.stack([SPEECH, -SPEECH], axis=1)
    places: list[Place] = []
    means = list(mixed([(16_000, stereo), (16_000, SPEECH[:, np.newaxis]), (32_000, stereo)], places))
    assert [rate for rate, _ in means] == [16_000, 16_000, 32_000]
    assert np.array_equal(means[1][1], SPEECH)
    assert [(round(start, 1), round(end, 1), which) for start, end, which in places] == [
        (0.0, round(SECONDS, 1), (2,)),
        (round(2 * SECONDS, 1), round(2.5 * SECONDS, 1), (2,)),
    ]


def test_the_mean_of_one_channel_is_that_channel() -> None:
    assert np.array_equal(mean_of(SPEECH[:, np.newaxis]), SPEECH)


def test_what_was_done_is_told_with_places() -> None:
    places: list[Place] = [(at, at + 0.5, (2,)) for at in range(7)]
    assert list(mixing_warnings([*places, (9.0, 10.0, (2, 4))])) == [
        "channel 2 is inverted, so the mean of the channels would cancel the sound: the other channels were used "
        "(0.0–0.5 s, 1.0–1.5 s, 2.0–2.5 s, 3.0–3.5 s, 4.0–4.5 s and 2 more places)",
        "channels 2, 4 are inverted, so the mean of the channels would cancel the sound: the other channels were used "
        "(9.0–10.0 s)",
    ]
    assert list(mixing_warnings([])) == []


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("invert", [lambda voice: -voice, lambda voice: -0.6 * voice], ids=["whole", "quieter"])
def test_a_file_is_read_with_a_warning(tmp_path: Path, kind: str, invert: Callable[[Samples], Samples]) -> None:
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, np.stack([0.9 * SPEECH, invert(0.9 * SPEECH)], axis=1), SAMPLE_RATE)
    with open_recording(path) as recording:
        mean = np.concatenate(list(recording.blocks()))
    assert likeness(mean[:LENGTH], SPEECH) > 0.97
    assert [warning.split(",")[0] for warning in recording.warnings] == ["channel 2 is inverted"]


def test_the_case_of_the_issue_has_its_voice(shared: Path) -> None:
    case = shared / "cases" / "audio" / "stereo-one-side-inverted.flac"
    if not case.exists():
        pytest.skip("the sound cases are not in ../shared")
    mean, first = samples_of(case), np.ascontiguousarray(soundfile.read(case, dtype="float32")[0][:, 0])
    assert np.sqrt(np.mean(mean**2)) > 0.9 * np.sqrt(np.mean(first**2))
