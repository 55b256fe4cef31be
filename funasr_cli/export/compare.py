"""Hold a graph against the one it was made from, before anybody is told that it is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from funasr_cli.errors import ModelError
from funasr_cli.features.cmvn import FEATURES
from funasr_cli.recognizers.sensevoice_graph import TEXTNORM_IDS

MAX_DIFFERENCE = 1e-3
"""Of log-probabilities of valid frames."""

CLEAR_LEAD = 2e-3
"""Where the best label leads by more than this, it must be the same in both."""

Scores = NDArray[np.float32]


def hold_against(static: Path, dynamic: Path, frames: int) -> float:
    """The largest difference of log-probabilities over clips of several lengths, from one frame to all.

    Both graphs have FunASR's names; the static one has `frames` frames. Raises `ModelError` where they disagree.
    """
    old, new = _load(dynamic), _load(static)
    rng = np.random.default_rng(0)
    worst = 0.0
    for length, language, textnorm in zip(
        (1, 2, frames // 3, frames - 1, frames), (0, 3, 4, 0, 3), ("withitn", "woitn") * 3, strict=False
    ):
        speech = rng.standard_normal((1, max(1, length), FEATURES), np.float32)
        prompt = {"language": language, "textnorm": TEXTNORM_IDS[textnorm]}
        expected = log_softmax(_run(old, speech, prompt, speech.shape[1])["ctc_logits"][0])
        padded = np.zeros((1, frames, FEATURES), np.float32)
        padded[:, : speech.shape[1]] = speech
        worst = max(worst, _difference(_run(new, padded, prompt, speech.shape[1]), expected))
    return worst


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-probabilities from logits, along the last axis."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _difference(outputs: dict[str, NDArray[np.floating]], expected: NDArray[np.float64]) -> float:
    valid = len(expected)
    if outputs["encoder_out_lens"].tolist() != [valid]:
        raise ModelError(f"the static graph says {outputs['encoder_out_lens']} frames are valid, the old one {valid}")
    if "ctc_logits" in outputs:
        found = log_softmax(outputs["ctc_logits"][0, :valid])
        labels, wanted = found.argmax(axis=-1), expected
    else:
        ids = outputs["token_ids"][0, :valid]
        found, labels = outputs["log_probs"][0, :valid].astype(np.float64), ids[:, 0]
        wanted = np.take_along_axis(expected, ids.astype(np.int64), axis=-1)
    second, first = np.sort(expected, axis=-1)[:, -2:].T
    difference = float(np.abs(found - wanted).max())
    clear = first - second > CLEAR_LEAD
    if not difference <= MAX_DIFFERENCE or (labels != expected.argmax(axis=-1))[clear].any():
        raise ModelError(f"the static graph gives other results than the one it was made from (by {difference:.2g})")
    return difference


def _load(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(
    session: onnxruntime.InferenceSession, speech: Scores, prompt: dict[str, int], length: int
) -> dict[str, NDArray[np.floating]]:
    scalars = {name: np.array([value], np.int32) for name, value in {"speech_lengths": length, **prompt}.items()}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"speech": speech, **scalars}), strict=True))
