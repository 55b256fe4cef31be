"""The network in NumPy gives the same probabilities as the graph in ONNX Runtime."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio import silero
from funasr_cli.audio.silero import FRAME_SAMPLES, SHAPES, SileroModel, SileroWeights, load_silero, silero_path
from funasr_cli.errors import MachineError
from funasr_cli.system.onnx_file import read_weights
from tests.conftest import NANO, SAMPLES
from tests.support.meetings import Meeting, samples_of
from tests.support.silero_graph import SileroGraph

CLOSE = 1e-4

RECORDINGS = [*sorted(SAMPLES.glob("*.flac")), *sorted(NANO.glob("*.flac"))]


def framed(samples: Samples) -> Samples:
    return np.pad(samples, (0, -len(samples) % FRAME_SAMPLES)).astype(np.float32)


def assert_same(samples: Samples) -> NDArray[np.float32]:
    frames = framed(samples)
    found = SileroModel(load_silero()).probabilities(frames)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, SileroGraph().probabilities(frames), atol=CLOSE, rtol=0)
    return found


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_speech_has_the_probabilities_of_the_graph(path: Path) -> None:
    found = assert_same(np.concatenate([np.zeros(20_000, np.float32), samples_of(path)]))
    assert found.max() > 0.9
    assert found.min() < 0.1


def noise(seconds: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, len(seconds))


def chords(seconds: np.ndarray) -> np.ndarray:
    """A melody of four tones, each with harmonics and an attack: much like voiced speech."""
    pitch = np.array([220.0, 277.2, 329.6, 440.0])[(seconds * 2).astype(int) % 4]
    tones = sum(np.sin(2 * np.pi * seconds * pitch * harmonic) / harmonic for harmonic in range(1, 8))
    return np.asarray(tones * np.exp(-4 * (seconds * 2 % 1)))


@pytest.mark.parametrize("signal", [noise, chords, np.zeros_like, lambda seconds: np.sign(np.sin(9e3 * seconds))])
@pytest.mark.parametrize("level", [1e-4, 0.1, 1.0])
def test_other_sounds_have_them_too(signal: Callable[[np.ndarray], np.ndarray], level: float) -> None:
    seconds = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    assert_same((level * signal(seconds)).astype(np.float32))


def test_a_long_recording_does_not_drift_away(meeting: Meeting) -> None:
    assert_same(meeting.samples)


def test_a_real_conversation_has_them_too(shared: Path) -> None:
    assert_same(samples_of(shared / "speakers" / "conversation.wav"))


def test_probabilities_do_not_depend_on_the_calls() -> None:
    frames = framed(samples_of(RECORDINGS[0]))
    whole = SileroModel(load_silero()).probabilities(frames)
    model = SileroModel(load_silero())
    parts = np.array_split(frames.reshape(-1, FRAME_SAMPLES), [1, 3, 50, 51, 170])
    streamed = np.concatenate([model.probabilities(part.reshape(-1)) for part in parts])
    np.testing.assert_allclose(streamed, whole, atol=1e-5, rtol=0)


def test_two_models_share_weights_and_nothing_else() -> None:
    weights, frames = load_silero(), framed(samples_of(RECORDINGS[0]))
    first, second = SileroModel(weights), SileroModel(weights)
    expected = first.probabilities(frames)
    assert np.array_equal(second.probabilities(frames), expected)


def without(name: str) -> Callable[[dict[str, np.ndarray]], object]:
    return lambda tensors: tensors.pop(name)


def other(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict[str, np.ndarray]], object]:
    return lambda tensors: tensors.update({name: change(tensors[name])})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *((without(name), f"no tensor {name}") for name in SHAPES),
        (other("encoder.conv_layers.1.weight", lambda weight: weight[:32]), r"no tensor .* \[64, 128, 3\]"),
        (other("encoder.feature_extractor.forward_basis_buffer", lambda basis: 1.01 * basis), "its spectra"),
    ],
)
def test_another_network_is_refused(change: Callable[[dict[str, np.ndarray]], object], message: str) -> None:
    tensors = read_weights(silero_path())
    SileroWeights.of(tensors)
    change(tensors)
    with pytest.raises(ValueError, match=message):
        SileroWeights.of(tensors)


@pytest.fixture
def asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the file, used instead of it."""
    path = tmp_path / "silero.onnx"
    shutil.copy(silero_path(), path)
    monkeypatch.setattr(silero, "silero_path", lambda: path)
    return path


@pytest.mark.parametrize("size", [0, 1000, -1])
def test_a_file_that_is_cut_off_is_an_error_that_names_it(asset: Path, size: int) -> None:
    asset.write_bytes(asset.read_bytes()[:size])
    with pytest.raises(MachineError, match=r"silero\.onnx: not the Silero v6 voice detector: .*\n.*--vad off"):
        load_silero()


def test_a_missing_file_is_an_error_that_names_it(asset: Path) -> None:
    asset.unlink()
    with pytest.raises(MachineError, match=r"silero\.onnx: cannot be read: No such file.*\n.*pip install"):
        load_silero()


def test_a_missing_package_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "find_spec", lambda _: None)
    with pytest.raises(MachineError, match=r"faster-whisper, which is not installed\n.*pip install"):
        load_silero()


def test_the_weights_are_those_that_the_package_onnx_reads() -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(silero_path()).graph
    expected: Mapping[str, np.ndarray] = {
        tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.data_type == 1
    }
    found = read_weights(silero_path())
    assert found.keys() == expected.keys() > SHAPES.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
