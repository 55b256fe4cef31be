"""Mean and variance normalisation with a model's own statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from funasr_cli.errors import ModelError, reading
from funasr_cli.features.fbank import MELS
from funasr_cli.features.lfr import STACKED

Vector = NDArray[np.float32]

FEATURES = MELS * STACKED


@dataclass(frozen=True)
class Cmvn:
    """`(x + neg_mean) * inv_std`, both float32 `[560]`. Raises `ValueError` for other shapes and infinite numbers."""

    neg_mean: Vector
    inv_std: Vector

    def apply(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised features, float32 `[n, d]`."""
        centred = features + self.neg_mean
        centred *= self.inv_std
        return centred

    def __post_init__(self) -> None:
        for vector in (self.neg_mean, self.inv_std):
            if vector.shape != (FEATURES,) or not np.isfinite(vector).all():
                raise ValueError(f"expected two vectors of {FEATURES} finite numbers")


def find_cmvn(model_dir: Path, metadata: Mapping[str, str]) -> Cmvn:
    """Read `neg_mean` and `inv_stddev` from sherpa-onnx's metadata, separated by commas; without them, `am.mvn`.

    Raises `ModelError` if neither can be read.
    """
    if "neg_mean" not in metadata:
        return read_cmvn(model_dir / "am.mvn")
    try:
        return Cmvn(*(np.array(metadata[key].split(","), np.float32) for key in ("neg_mean", "inv_stddev")))
    except (ValueError, KeyError) as error:
        raise ModelError(f"no valid normalisation statistics in the graph's metadata: {error}") from error


def read_cmvn(path: Path) -> Cmvn:
    """Read a network in Kaldi's text format: `<AddShift>` and `<Rescale>`, each followed by a vector in brackets.

    Raises `ModelError` if the file is something else.
    """
    try:
        with reading(path, ModelError):
            words = path.read_text(encoding="utf-8").split()
            return Cmvn(_vector(words, "<AddShift>"), _vector(words, "<Rescale>"))
    except ValueError as error:
        raise ModelError(f"no valid normalisation statistics: {error}", where=path) from error


def _vector(words: list[str], component: str) -> Vector:
    start = words.index("[", words.index(component))
    return np.array(words[start + 1 : words.index("]", start)], np.float32)


def write_cmvn(cmvn: Cmvn, path: Path) -> None:
    """Write the statistics as `read_cmvn` and FunASR read them."""
    size = len(cmvn.neg_mean)
    lines = ["<Nnet>", f"<Splice> {size} {size}", "[ 0 ]"]
    for component, vector in (("<AddShift>", cmvn.neg_mean), ("<Rescale>", cmvn.inv_std)):
        lines += [f"{component} {size} {size}", f"<LearnRateCoef> 0 [ {' '.join(map(str, vector))} ]"]
    path.write_text("\n".join([*lines, "</Nnet>", ""]), encoding="utf-8")
