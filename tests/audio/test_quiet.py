"""The detector finds quiet speech, and mistakes nothing else for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.quiet import LOUD_ENOUGH, MAX_GAIN, MAX_NOISE, QuietGain, level_warnings
from funasr_cli.audio.silero import FRAME_SAMPLES, SileroModel, load_silero
from funasr_cli.audio.spans import Span
from funasr_cli.audio.vad import SpeechDetector
from tests.conftest import SAMPLES
from tests.support.meetings import samples_of

SPEECH = np.pad(samples_of(SAMPLES / "energy-report.flac"), (SAMPLE_RATE, SAMPLE_RATE))
OTHER = samples_of(SAMPLES / "railway-station.flac")


def decibels(level: float) -> float:
    return float(10 ** (level / 20))


def at(peak: float, samples: Samples, hum: float = 0.01, seed: int = 1) -> Samples:
    """`samples` with a peak in dBFS, hum, and 16-bit dither."""
    loud = samples / np.abs(samples).max()
    time = np.arange(len(samples)) / SAMPLE_RATE
    humming = loud + hum * 0.1 * (np.sin(2 * np.pi * 50 * time) + 0.4 * np.sin(2 * np.pi * 150 * time))
    random = np.random.default_rng(seed)
    dither = random.random(len(samples)) - random.random(len(samples))
    return (np.round(decibels(peak) * humming * 32768 + dither) / 32768).astype(np.float32)


def spans(samples: Samples, *, plain: bool = False) -> list[Span]:
    """The closed spans; with `plain`, as the network finds them without the gain."""
    detector = SpeechDetector(load_silero(), VadOptions())
    if plain:
        detector._model = SileroModel(load_silero())
    blocks = np.split(samples, range(SAMPLE_RATE, len(samples), SAMPLE_RATE))
    found = [span for block in blocks for span in detector.push(block)] + detector.finish()
    return [span for span in found if span.closed]


def mask(found: list[Span], length: int) -> np.ndarray:
    covered = np.zeros(length, bool)
    for span in found:
        covered[span.start : span.end] = True
    return covered


def share(samples: Samples, expected: np.ndarray, *, plain: bool = False) -> float:
    """The share of the expected speech that is found."""
    return float(mask(spans(samples, plain=plain), len(samples))[expected].mean())


@pytest.mark.parametrize("peak", [-36, -48, -56, -66, -72])
@pytest.mark.parametrize("speech", [SPEECH, OTHER], ids=["energy", "railway"])
def test_quiet_speech_is_found(speech: Samples, peak: float) -> None:
    expected = mask(spans(speech), len(speech))
    assert share(at(peak, speech), expected) > 0.97
    if peak <= -66:
        assert share(at(peak, speech), expected, plain=True) < 0.1


@pytest.mark.parametrize("pause", [0.5, 3.0])
@pytest.mark.parametrize("peak", [-45, -56])
def test_a_quiet_talker_is_found_between_loud_ones(pause: float, peak: float) -> None:
    silence = np.zeros(round(pause * SAMPLE_RATE), np.float32)
    before = np.concatenate([at(-6, OTHER), silence])
    whole = np.concatenate([before, at(peak, SPEECH), silence, at(-6, OTHER)])
    expected = np.zeros(len(whole), bool)
    expected[len(before) : len(before) + len(SPEECH)] = mask(spans(SPEECH), len(SPEECH))
    assert share(whole, expected) > 0.9
    assert share(whole, expected, plain=True) < 0.8


@pytest.mark.parametrize("peak", [-0.5, -12, -26])
@pytest.mark.parametrize("noise", [0.0, 1e-2, 1e-3])
def test_loud_speech_has_the_spans_that_it_had(peak: float, noise: float) -> None:
    whole = at(peak, np.concatenate([SPEECH, np.zeros(5 * SAMPLE_RATE, np.float32), OTHER]))
    whole += np.random.default_rng(2).normal(0, noise * decibels(peak), len(whole)).astype(np.float32)
    ours, theirs = spans(whole), spans(whole, plain=True)
    assert len(ours) == len(theirs)
    edges = [(one.start - other.start, one.end - other.end) for one, other in zip(ours, theirs, strict=True)]
    assert np.abs(edges).max() <= FRAME_SAMPLES


def hum(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return sum(np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 5)) + 0.01 * random.normal(size=len(time))


def traffic(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Low noise that swells as cars pass."""
    spectrum = np.fft.rfft(random.normal(size=len(time)))
    spectrum /= np.maximum(np.fft.rfftfreq(len(time), 1 / SAMPLE_RATE), 30)
    return np.fft.irfft(spectrum, len(time)) * (1 + 4 * np.sin(time / 2) ** 8)


def music(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Chords of half a second with harmonics, each with an attack and a decay."""
    notes = random.choice([220.0, 246.9, 277.2, 329.6, 370.0, 440.0], (int(time[-1] * 2) + 1, 3))
    pitches, after = notes[(time * 2).astype(int)].T, time * 2 % 1
    tones = sum(np.sin(2 * np.pi * pitch * k * time) / k for pitch in pitches for k in (1, 2, 3, 4, 5))
    return np.asarray(tones * np.exp(-3 * after) * np.minimum(1, 50 * after))


def clicks(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    sound = np.zeros(len(time))
    for start in random.integers(0, len(time) - 300, len(time) // SAMPLE_RATE):
        sound[start : start + 300] += random.normal(size=300) * np.exp(-np.arange(300) / 40)
    return sound


def hiss(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return random.normal(size=len(time))


def offset(time: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.ones(len(time))


@pytest.mark.parametrize("sound", [hum, traffic, music, clicks, hiss, offset])
@pytest.mark.parametrize("peak", [-3, -30, -50, -60, -70])
def test_other_quiet_sounds_are_no_speech(
    sound: Callable[[np.ndarray, np.random.Generator], np.ndarray], peak: float
) -> None:
    time = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    assert spans(at(peak, sound(time, np.random.default_rng(3)), hum=0)) == []


def gains_of(levels: Samples, gain: QuietGain | None = None) -> Samples:
    gains = (gain or QuietGain()).gains(levels)
    return np.ones_like(levels) if gains is None else gains


@pytest.mark.parametrize("frames", [1, 2, 3, 16, 17, 128])
@given(exponents=st.lists(st.floats(-120, 0), min_size=128, max_size=128))
@settings(max_examples=30)
def test_the_gain_is_bounded_and_leaves_what_is_loud(frames: int, exponents: list[float]) -> None:
    levels = np.array([decibels(level) for level in exponents[:frames]], np.float32)
    gains = gains_of(levels)
    assert gains.shape == levels.shape
    assert gains.min() >= 1
    assert gains.max() <= MAX_GAIN * 1.001
    amplified = gains > 1
    assert (gains * levels)[amplified].max(initial=0) <= LOUD_ENOUGH * 1.001
    assert (gains[levels >= LOUD_ENOUGH] == 1).all()


def test_steady_noise_is_left_as_it_is() -> None:
    levels = decibels(-70) * np.random.default_rng(1).uniform(0.85, 1.15, 128).astype(np.float32)
    assert (gains_of(levels) == 1).all()


def test_noise_is_not_made_loud_with_speech() -> None:
    levels = np.full(128, decibels(-70), np.float32)
    levels[16:64] = decibels(-50)
    gains = gains_of(levels)
    assert gains[16:64].min() > 2
    assert (gains * levels)[80:].max() <= MAX_NOISE * 1.001


def test_beside_what_is_loud_nothing_is_amplified() -> None:
    gain, quiet = QuietGain(), np.full(128, decibels(-60), np.float32)
    quiet[::4] = decibels(-90)
    loud = quiet.copy()
    loud[112:] = decibels(-20)
    first = gains_of(loud, gain)
    assert (first[96:] == 1).all()
    assert first[:96].min() > 1
    following = gains_of(quiet, gain)
    assert (following[:16] == 1).all()
    assert following[16:].min() > 1


@pytest.mark.parametrize(
    ("peak", "speech", "said"),
    [
        (0.5, 3.0, []),
        (decibels(-64), 3.0, []),
        (0.0, 0.0, []),
        (1.5 / 32768, 0.0, []),
        (
            decibels(-58),
            0.0,
            ["no speech found (peak −58 dBFS); if there is speech, use --vad off to transcribe everything"],
        ),
        (
            decibels(-75),
            3.0,
            ["very quiet (peak −75 dBFS): words may be wrong or missing; record at a higher level"],
        ),
    ],
)
def test_what_is_too_quiet_is_told(peak: float, speech: float, said: list[str]) -> None:
    assert list(level_warnings(peak, speech)) == said


def test_the_case_of_the_issue_has_its_words(shared: Path) -> None:
    case, loud = (
        shared / "cases" / "audio" / "quiet-peak-minus-56dBFS.flac",
        shared / "speech" / "sentences" / "jfk.flac",
    )
    if not case.exists():
        pytest.skip("the sound cases are not in ../shared")
    samples = samples_of(case)
    expected = mask(spans(samples_of(loud)), len(samples))
    assert share(samples, expected) > 0.97
