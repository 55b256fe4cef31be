"""Compare a graph with the one it was made from: on noise before it is written, on speech after it is compiled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays
from funasr_cli.errors import ModelError
from funasr_cli.features.cmvn import FEATURES
from funasr_cli.recognizers.sensevoice.graph import LOGITS, TEXTNORM_IDS, TOPK, VALID
from funasr_cli.system.onnx_sessions import make_session

MAX_DIFFERENCE = 1e-3
"""Largest difference allowed in log-probabilities of valid frames."""

CLEAR_LEAD = 2e-3
"""If the best label leads by more than this log-probability, both graphs must have the same best label."""

BEST = 32
"""Labels of a frame that are compared if a graph outputs all of them."""

Scores = NDArray[np.float32]


def hold_against(made: Path, source: Path, frames: int, *, padded: bool = True) -> float:
    """Return the largest difference of log-probabilities over clips of several lengths, from one frame to `frames`.

    Both graphs have FunASR's names. The clips for `made` are `padded` to `frames` frames, or as long as those for
    `source`. Raises `ModelError` if the graphs disagree.
    """
    old, new = make_session(source), make_session(made)
    rng = np.random.default_rng(0)
    worst = 0.0
    for length, language, textnorm in zip(
        (1, 2, frames // 3, frames - 1, frames), (0, 3, 4, 0, 3), ("withitn", "woitn") * 3, strict=False
    ):
        speech = rng.standard_normal((1, max(1, length), FEATURES), np.float32)
        prompt = {"language": language, "textnorm": TEXTNORM_IDS[textnorm]}
        expected = log_softmax(_run(old, speech, prompt, speech.shape[1])["ctc_logits"][0])
        filled = np.zeros((1, frames if padded else speech.shape[1], FEATURES), np.float32)
        filled[:, : speech.shape[1]] = speech
        worst = max(worst, _difference(_run(new, filled, prompt, speech.shape[1]), expected, made.name))
    return worst


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute log-probabilities from logits, along the last axis."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """In how many of the valid `frames` the best labels agree, and in how many of the frames with a clear lead.

    `difference` is the largest difference of log-probabilities, over the best labels of both; inf if one is NaN.
    """

    frames: int = 0
    same: int = 0
    clear: int = 0
    same_clear: int = 0
    difference: float = 0.0

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.frames + other.frames,
            self.same + other.same,
            self.clear + other.clear,
            self.same_clear + other.same_clear,
            max(self.difference, other.difference),
        )


def agreement(found: Arrays, expected: Arrays) -> Agreement:
    """Compare two runs of one window, each ending in logits or in TopK.

    If they disagree on the number of valid frames, nothing agrees.
    """
    (log_probs, ids), (wanted, labels) = _best(found), _best(expected)
    clear = wanted[:, 0] - wanted[:, 1] > CLEAR_LEAD if labels.shape[1] > 1 else np.ones(len(labels), np.bool_)
    if len(ids) != len(labels):
        return Agreement(len(labels), 0, int(clear.sum()), 0, math.inf)
    same = (ids[:, 0] == labels[:, 0]) & np.isfinite(log_probs[:, 0])
    shared = ids[:, :, np.newaxis] == labels[:, np.newaxis]
    differences = np.abs(log_probs[:, :, np.newaxis] - wanted[:, np.newaxis])[shared]
    difference = float(np.nan_to_num(differences, nan=math.inf, posinf=math.inf).max(initial=0.0))
    return Agreement(len(labels), int(same.sum()), int(clear.sum()), int((same & clear).sum()), difference)


def _best(outputs: Arrays) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """Return the best labels of every valid frame, best first: log-probabilities and labels, both `[frames, K]`."""
    valid = int(outputs[VALID][0])
    if TOPK[0] in outputs:
        log_probs, ids = (outputs[name][0, :valid] for name in TOPK)
        return log_probs.astype(np.float64), ids
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        scores = log_softmax(outputs[LOGITS[0]][0, :valid])
    ids = np.argpartition(-scores, BEST, axis=-1)[:, :BEST]
    ids = np.take_along_axis(ids, np.argsort(-np.take_along_axis(scores, ids, axis=-1), axis=-1), axis=-1)
    return np.take_along_axis(scores, ids, axis=-1), ids


def _difference(outputs: dict[str, NDArray[np.floating]], expected: NDArray[np.float64], made: str) -> float:
    valid = len(expected)
    found_valid = outputs["encoder_out_lens"].tolist()
    if found_valid != [valid]:
        raise ModelError(f"{made} reports {found_valid} valid frames, the original graph {valid}")
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
        raise ModelError(f"results of {made} differ from those of the original graph (by {difference:.2g})")
    return difference


def _run(
    session: onnxruntime.InferenceSession, speech: Scores, prompt: dict[str, int], length: int
) -> dict[str, NDArray[np.floating]]:
    scalars = {name: np.array([value], np.int32) for name, value in {"speech_lengths": length, **prompt}.items()}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"speech": speech, **scalars}), strict=True))
