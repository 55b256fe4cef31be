"""Our front end returns the numbers of FunASR's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from funasr_cli.arrays import Samples
from funasr_cli.features.cmvn import read_cmvn
from funasr_cli.features.fbank import fbank
from funasr_cli.features.lfr import stack_frames
from tests.parity.conftest import LENGTHS
from tests.support.exact_features import exact_fbank
from tests.support.meetings import samples_of

CLOSE = 1e-4


def difference(samples: Samples, cmvn: Path) -> float:
    """Return the largest difference, over all features of a clip as a model takes them."""
    found = read_cmvn(cmvn).apply(stack_frames(fbank(samples)))
    expected = funasr_features(samples, cmvn_file=str(cmvn), lfr_m=7, lfr_n=6)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


def funasr_features(samples: Samples, **options: Any) -> NDArray[np.float32]:
    import torch
    from funasr.frontends.wav_frontend import WavFrontend

    frontend = WavFrontend(window="hamming", n_mels=80, dither=0.0, **options)
    features: NDArray[np.float32] = frontend(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))[0][
        0
    ].numpy()
    return features


@pytest.fixture
def cmvn(shared: Path) -> Path:
    return shared / "facts" / "sensevoice" / "am.mvn"


@pytest.mark.parametrize("name", ["asr_example.wav", "jfk.flac", "long.wav", "mid.wav"])
def test_on_whole_utterances(shared: Path, cmvn: Path, name: str) -> None:
    assert difference(samples_of(shared / "speech" / "sentences" / name), cmvn) < CLOSE


@pytest.mark.parametrize("length", LENGTHS)
def test_on_clips_of_any_length(speech: Samples, cmvn: Path, length: int) -> None:
    assert difference(speech[:length], cmvn) < CLOSE


@pytest.mark.parametrize("level", [0.0, 1 / 32768, 1e-6])
def test_on_silence(cmvn: Path, level: float) -> None:
    noise = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    assert difference(noise * np.float32(level), cmvn) < CLOSE


def test_on_words(words: list[tuple[Path, str]], cmvn: Path) -> None:
    differences = np.array([difference(samples_of(path), cmvn) for path, _ in words])
    assert np.mean(differences < CLOSE) > 0.95


def test_where_the_two_differ_more_ours_is_as_near_the_exact_value(words: list[tuple[Path, str]]) -> None:
    # Single bands 60 dB below the rest, where both are at the limit of float32.
    ours, theirs = 0.0, 0.0
    for path, _ in words[::8]:
        samples = samples_of(path)
        exact = exact_fbank(samples)
        ours = max(ours, float(np.abs(fbank(samples) - exact).max()))
        theirs = max(theirs, float(np.abs(funasr_features(samples, lfr_m=1, lfr_n=1) - exact).max()))
    assert theirs > 1e-4
    assert ours < 2 * theirs
