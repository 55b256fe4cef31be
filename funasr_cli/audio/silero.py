"""Silero v6, the network of the voice detector, in NumPy: takes 16 kHz frames, returns a speech probability for each.

The weights come from the ONNX file that faster-whisper ships; ONNX Runtime would take three times as long. A frame is
512 samples (32 ms), preceded by the 64 samples before it and followed by a mirror image of its own last 64. The
magnitudes of its four spectra are reduced by four convolutions to one vector; an LSTM processes the vectors in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Samples
from funasr_cli.errors import MachineError, reading
from funasr_cli.system.onnx_file import read_weights

FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64

SPECTRA, HOP, FFT = 4, 128, 256
"""Spectra per frame; the step between them and the length of each, in samples."""

BINS = FFT // 2 + 1
STRIDES = (1, 2, 2, 1)
"""Strides of the convolutions. Each kernel covers three time steps, a step and its neighbours, with zeros beyond the
ends."""

HIDDEN = 128
"""Length of the LSTM's states."""

SHAPES: Mapping[str, tuple[int, ...]] = {
    "encoder.feature_extractor.forward_basis_buffer": (2 * BINS, 1, FFT),
    "encoder.conv_layers.0.weight": (128, BINS, 3),
    "encoder.conv_layers.1.weight": (64, 128, 3),
    "encoder.conv_layers.2.weight": (64, 64, 3),
    "encoder.conv_layers.3.weight": (HIDDEN, 64, 3),
    "encoder.conv_layers.0.bias": (128,),
    "encoder.conv_layers.1.bias": (64,),
    "encoder.conv_layers.2.bias": (64,),
    "encoder.conv_layers.3.bias": (HIDDEN,),
    "onnx::LSTM_209": (1, 4 * HIDDEN, HIDDEN),
    "onnx::LSTM_210": (1, 4 * HIDDEN, HIDDEN),
    "onnx::LSTM_211": (1, 8 * HIDDEN),
    "decoder.conv1d.weight": (1, HIDDEN, 1),
    "decoder.conv1d.bias": (1,),
}
"""The network's tensors. Those of the LSTM are the weights of its input, those of its state, and both biases."""

HINT = "Run pip install 'faster-whisper>=1.2,<1.3', or turn the detector off with --vad off."

Matrix: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class SileroWeights:
    """The weights as `SileroModel` needs them, shared by any number of models; all float32.

    `cosines`, `sines` `[128, 129]`: the windowed DFT for sums and differences of the two halves of a window. `kernels`
    `[3 × channels in, channels out]` and `biases`: the convolutions. `lstm_inputs`, `lstm_states` `[128, 512]` and
    `lstm_bias` `[512]`: the LSTM, with gates in the order output, input, forget, cell. `output` `[128]` and
    `output_bias`: the last layer.
    """

    cosines: Matrix
    sines: Matrix
    kernels: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]
    lstm_inputs: Matrix
    lstm_states: Matrix
    lstm_bias: Matrix
    output: Matrix
    output_bias: np.float32

    @classmethod
    def of(cls, tensors: Mapping[str, Matrix]) -> SileroWeights:
        """Convert the tensors of the ONNX file. Raises `ValueError` if they do not belong to this network."""
        for name, shape in SHAPES.items():
            if name not in tensors or tensors[name].shape != shape:
                raise ValueError(f"no tensor {name} {list(shape)}")
        if not np.allclose(tensors["encoder.feature_extractor.forward_basis_buffer"][:, 0], _dft(), atol=1e-5):
            raise ValueError("its spectra do not use a Hann window")
        convolutions = [tensors[f"encoder.conv_layers.{layer}.weight"] for layer in range(len(STRIDES))]
        bias = tensors["onnx::LSTM_211"][0]
        last = tensors["decoder.conv1d.weight"].reshape(HIDDEN)
        # Three gates have half their sums, and states are twice as large, so that `SileroModel` needs one tanh for all
        # four gates. The file has them in the order input, output, forget, cell (ONNX operator LSTM).
        halves = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), HIDDEN)
        order = np.arange(4 * HIDDEN).reshape(4, HIDDEN)[[1, 0, 2, 3]].reshape(-1)
        return cls(
            *_folded_dft(),
            tuple(np.ascontiguousarray(weight.transpose(2, 1, 0)).reshape(-1, len(weight)) for weight in convolutions),
            tuple(tensors[f"encoder.conv_layers.{layer}.bias"] for layer in range(len(STRIDES))),
            np.ascontiguousarray(tensors["onnx::LSTM_209"][0, order].T * halves),
            np.ascontiguousarray(tensors["onnx::LSTM_210"][0, order].T * halves / 2),
            (bias[: 4 * HIDDEN] + bias[4 * HIDDEN :])[order] * halves,
            np.asarray(last / 2, np.float32),
            tensors["decoder.conv1d.bias"][0],
        )


class SileroModel:
    """The network, with its state carried from call to call; `amplify` may change the power spectra in place."""

    def __init__(self, weights: SileroWeights, amplify: Callable[[Matrix], None] | None = None) -> None:
        self._weights = weights
        self._amplify = amplify
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._state = np.zeros(HIDDEN, np.float32)
        self._gates = np.zeros(5 * HIDDEN, np.float32)  # the four gates, followed by the cell

    def probabilities(self, frames: Samples) -> NDArray[np.float32]:
        """Return the speech probability of each frame in `frames` (`[n × 512]`), float32 `[n]`."""
        power = self._power_spectra(frames.reshape(-1, FRAME_SAMPLES))
        if self._amplify is not None:
            self._amplify(power)
        steps = np.sqrt(power, out=power)
        for kernel, bias, stride in zip(self._weights.kernels, self._weights.biases, STRIDES, strict=True):
            steps = _convolve(steps, kernel, bias, stride)
        states = self._lstm(steps[:, 0])
        scores = np.maximum(states, 0, out=states) @ self._weights.output + self._weights.output_bias
        return np.asarray((1 + np.tanh(scores / 2)) / 2, np.float32)

    def _power_spectra(self, rows: Matrix) -> Matrix:
        """Return the squared magnitudes, `[n, 4, 129]`.

        A product with the folded DFT takes a third of the time of NumPy's FFT, whose overhead dominates at this size.
        """
        size = CONTEXT_SAMPLES + FRAME_SAMPLES
        padded = np.empty((len(rows), size + CONTEXT_SAMPLES), np.float32)
        padded[0, :CONTEXT_SAMPLES] = self._context
        padded[1:, :CONTEXT_SAMPLES] = rows[:-1, -CONTEXT_SAMPLES:]
        padded[:, CONTEXT_SAMPLES:size] = rows
        padded[:, size:] = padded[:, size - 2 : FRAME_SAMPLES - 2 : -1]
        self._context = rows[-1, -CONTEXT_SAMPLES:].copy()
        shape = (len(rows), SPECTRA, HOP)
        after = padded[:, HOP:]
        before = padded[:, FRAME_SAMPLES:0:-1].reshape(shape)[:, ::-1].reshape(len(rows), -1)  # a copy
        real = (after + before).reshape(-1, HOP) @ self._weights.cosines
        imaginary = np.subtract(after, before, out=before).reshape(-1, HOP) @ self._weights.sines
        power = np.add(np.square(real, out=real), np.square(imaginary, out=imaginary), out=real)
        return power.reshape(len(rows), SPECTRA, BINS)

    def _lstm(self, vectors: Matrix) -> Matrix:
        """Return the states `[n, 128]` after each of the `vectors` `[n, 128]`, doubled compared with ONNX's operator.

        As sigmoid(x) = (1 + tanh(x / 2)) / 2, one tanh serves all four gates. The number of calls matters most: at
        these sizes a call costs more than what it computes.
        """
        sums = vectors @ self._weights.lstm_inputs
        sums += self._weights.lstm_bias
        states = np.empty((len(sums), HIDDEN), np.float32)
        state, weights = self._state, self._weights.lstm_states
        gates, sigmoids, output = (self._gates[: count * HIDDEN] for count in (4, 3, 1))
        input_and_forget = self._gates[HIDDEN : 3 * HIDDEN]
        new_and_old, cell = self._gates[3 * HIDDEN :], self._gates[4 * HIDDEN :]
        products = np.empty(2 * HIDDEN, np.float32)
        new, old = products[:HIDDEN], products[HIDDEN:]
        ones, halves = np.ones_like(sigmoids), np.full_like(cell, 0.5)  # faster than scalars, which NumPy converts
        dot, add, multiply, tanh = np.dot, np.add, np.multiply, np.tanh
        for given, following in zip(sums, states, strict=True):
            dot(state, weights, gates)
            add(gates, given, gates)
            tanh(gates, gates)
            add(sigmoids, ones, sigmoids)
            multiply(input_and_forget, new_and_old, products)
            add(new, old, cell)
            multiply(cell, halves, cell)
            tanh(cell, following)
            multiply(output, following, following)
            state = following
        self._state = state.copy()
        return states


def _convolve(steps: Matrix, kernel: Matrix, bias: Matrix, stride: int) -> Matrix:
    """Convolve over three steps, then ReLU: `[n, steps, channels in]` to `[n, ceil(steps / stride), channels out]`."""
    count, length, channels = steps.shape
    result = np.empty((count, -(-length // stride), len(bias)), np.float32)
    for at in range(0, length, stride):
        first, last = max(at - 1, 0), min(at + 2, length)
        taps = kernel[(first - at + 1) * channels : (last - at + 1) * channels]
        np.matmul(steps[:, first:last].reshape(count, -1), taps, out=result[:, at // stride])
    result += bias
    return np.maximum(result, np.zeros_like(bias), out=result)  # 0 would take twice as long


def _dft() -> NDArray[np.float64]:
    """Return the real and imaginary parts of the DFT after a Hann window, `[258, 256]`."""
    time, frequency = np.arange(FFT), np.arange(BINS)[:, np.newaxis]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / FFT)
    phase = 2 * np.pi * frequency * time / FFT
    return np.concatenate([window * np.cos(phase), -window * np.sin(phase)])


def _folded_dft() -> tuple[Matrix, Matrix]:
    """Return the DFT for sums and for differences of samples 0 to 127 after and before the middle, each `[128, 129]`.

    The first sample of the window is 0, and the others are symmetric. So two samples equally far before and after the
    middle have the same cosine, and sines of opposite sign. The middle is added to itself, so its cosine is halved.
    """
    distance, frequency = np.arange(HOP)[:, np.newaxis], np.arange(BINS)
    window = 0.5 + 0.5 * np.cos(2 * np.pi * distance / FFT)
    window[0] /= 2
    phase = 2 * np.pi * distance * frequency / FFT
    return (window * np.cos(phase)).astype(np.float32), (window * np.sin(phase)).astype(np.float32)


def silero_path() -> Path:
    """Return where faster-whisper keeps the file. Raises `MachineError` if faster-whisper is not installed."""
    package = find_spec("faster_whisper")
    if package is None or not package.submodule_search_locations:
        raise MachineError(
            "the voice detector is missing: it comes with the package faster-whisper, which is not installed", hint=HINT
        )
    return Path(package.submodule_search_locations[0]) / "assets" / "silero_vad_v6.onnx"


def load_silero() -> SileroWeights:
    """Load the weights, shared by any number of detectors. Raises `MachineError` if they are missing or do not fit."""
    path = silero_path()
    try:
        with reading(path, MachineError, hint=HINT):
            return SileroWeights.of(read_weights(path))
    except ValueError as error:
        raise MachineError(f"not the Silero v6 voice detector: {error}", where=path, hint=HINT) from error
