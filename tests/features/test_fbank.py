"""The front end, compared with a float64 implementation of the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.features.fbank import fbank
from tests.conftest import SAMPLES
from tests.support.exact_features import exact_fbank
from tests.support.meetings import samples_of


@pytest.fixture(scope="module")
def speech() -> Samples:
    return samples_of(SAMPLES / "energy-report.flac")[: 3 * SAMPLE_RATE]


def test_speech_has_the_exact_energies_but_for_rounding(speech: Samples) -> None:
    differences = np.abs(fbank(speech) - exact_fbank(speech))
    assert np.median(differences) < 1e-6
    assert differences.max() < 2e-3  # single bands 60 dB below the rest


@pytest.mark.parametrize("level", [0.0, 1e-9])
def test_silence_lies_on_the_floor(level: float) -> None:
    assert fbank(np.full(1000, level, np.float32)) == pytest.approx(np.log(2.0**-23))


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (400, 1), (559, 1), (560, 2), (240_000, 1498)])
def test_only_whole_frames_count_and_a_clip_has_at_least_one(samples: int, frames: int) -> None:
    assert fbank(np.zeros(samples, np.float32)).shape == (frames, 80)


def test_frames_do_not_depend_on_what_follows(speech: Samples) -> None:
    assert fbank(speech[: 99 * 160 + 400]) == pytest.approx(fbank(speech)[:100], abs=1e-4)
