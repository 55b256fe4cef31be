"""Recognises the model in a folder: the layouts of faster-whisper, FunASR, sherpa-onnx and our own export."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import sha256_of

AUTO = "auto"
"""The precision that the model has; float32 if it has several."""


@dataclass(frozen=True, slots=True)
class ModelLayout:
    """File names of a model family, as glob patterns.

    `needs` are required files (one of each group), `weights` those for a CPU by precision, `compiled` those for NPUs,
    and `others` further files that affect a text. Of several matches for weights or a group, the first is used.
    """

    family: str
    needs: Sequence[Sequence[str]]
    weights: Mapping[str, Sequence[str]]
    others: Sequence[str]
    compiled: Sequence[str] = ()

    def missing(self, folder: Path) -> list[str]:
        """Descriptions of the files that the folder lacks for this layout; empty if it is complete."""
        groups = [*self.needs, [*(name for names in self.weights.values() for name in names), *self.compiled]]
        return [" or ".join(dict.fromkeys(group)) for group in groups if not _first(folder, group)]


WHISPER = ModelLayout(
    "whisper",
    needs=[["config.json"], ["tokenizer.json"]],
    weights={"float32": ["model.bin"], "int8": ["model.bin"]},  # can be computed in either, whatever the stored type
    others=["config.json", "tokenizer.json", "preprocessor_config.json"],
)

SENSEVOICE = ModelLayout(
    "sensevoice",
    needs=[["tokens.json", "tokens.txt", "chn_jpn_yue_eng_ko_spectok.bpe.model"]],
    weights={
        "float32": ["model.onnx", "model_*s_*.onnx"],  # free dimensions first; then static ones, named by our export
        "int8": ["model_quant.onnx", "model.int8.onnx"],
    },
    # Tensors may be in files beside the graph, under names chosen by whoever exported it.
    others=["tokens.json", "tokens.txt", "*.bpe.model", "am.mvn", "*.data", "*_data", "*.bin", "*.weights"],
    compiled=["*.om"],
)

LAYOUTS = (WHISPER, SENSEVOICE)


def layout_of(folder: Path) -> ModelLayout:
    """The layout of a model folder. Raises `ModelError` that lists the missing files for each known layout."""
    lacking = {layout.family: layout.missing(folder) for layout in LAYOUTS}
    for layout in LAYOUTS:
        if not lacking[layout.family]:
            return layout
    if (folder / "model.pt").is_file():
        raise ModelError(
            "is a FunASR checkpoint, which only PyTorch can run",
            where=folder,
            hint=f"Export it once: funasr-cli export {folder} -o DIR",
        )
    reasons = "\n  ".join(f"{family}: no {', no '.join(missing)}" for family, missing in lacking.items())
    raise ModelError("is not a supported model", where=folder, hint=reasons)


def choose_weights(layout: ModelLayout, folder: Path, precision: str) -> tuple[Path, str]:
    """The file with the weights for a CPU in `precision` (`auto`, `float32`, `int8`), and the precision chosen.

    Raises `ModelError` if the folder has weights only in another precision, or only compiled for NPUs.
    """
    found = {kind: _first(folder, names) for kind, names in layout.weights.items()}
    there = {kind: path for kind, path in found.items() if path}
    if not there:
        hint = "Run it on an NPU: --device npu"
        raise ModelError("is compiled for NPUs and has no weights for a CPU", where=folder, hint=hint)
    wanted = next(iter(there)) if precision == AUTO else precision
    if wanted not in there:
        raise ModelError(f"has no weights for --precision {precision}, only {', '.join(there)}", where=folder)
    return there[wanted], wanted


def hash_files(layout: ModelLayout, folder: Path, weights: Path) -> Mapping[str, str]:
    """sha256 by name of the weights and of the other files in the folder that affect a text. Raises `OSError`."""
    others = {path for pattern in layout.others for path in folder.glob(pattern) if path.is_file()}
    return {path.name: sha256_of(path) for path in [weights, *sorted(others - {weights})]}


def content_of(hashes: Mapping[str, str]) -> str:
    """One hash of a whole model, from the hashes of its files by name."""
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _first(folder: Path, patterns: Sequence[str]) -> Path | None:
    """The first file that matches the earliest pattern with any match."""
    return next((path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()), None)
