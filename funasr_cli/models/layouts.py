"""Which model lies in a folder: the layouts of faster-whisper, FunASR, sherpa-onnx and our own export."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.files import sha256_of

AUTO = "auto"
"""The precision that the model has; float32 where it has several."""


@dataclass(frozen=True, slots=True)
class ModelLayout:
    """How a family's files are called: those it needs (one of each group), its weights for a CPU by precision, those
    that are compiled for NPUs, and the others that make a difference to a text.

    Names are glob patterns; of several that fit weights or a group, the first is taken.
    """

    family: str
    needs: Sequence[Sequence[str]]
    weights: Mapping[str, Sequence[str]]
    others: Sequence[str]
    compiled: Sequence[str] = ()

    def missing(self, folder: Path) -> list[str]:
        """What the folder lacks to be this layout, in words; empty where it is."""
        groups = [*self.needs, [*(name for names in self.weights.values() for name in names), *self.compiled]]
        return [" or ".join(dict.fromkeys(group)) for group in groups if not _first(folder, group)]


WHISPER = ModelLayout(
    "whisper",
    needs=[["config.json"], ["tokenizer.json"]],
    weights={"float32": ["model.bin"], "int8": ["model.bin"]},  # computed in either, whatever they are stored in
    others=["config.json", "tokenizer.json", "preprocessor_config.json"],
)

SENSEVOICE = ModelLayout(
    "sensevoice",
    needs=[["tokens.json", "tokens.txt", "chn_jpn_yue_eng_ko_spectok.bpe.model"]],
    weights={
        "float32": ["model.onnx", "model_*s_*.onnx"],  # free dimensions first; static ones as our export calls them
        "int8": ["model_quant.onnx", "model.int8.onnx"],
    },
    # Tensors may lie in files beside the graph, under names of its maker's choice.
    others=["tokens.json", "tokens.txt", "*.bpe.model", "am.mvn", "*.data", "*_data", "*.bin", "*.weights"],
    compiled=["*.om"],
)

LAYOUTS = (WHISPER, SENSEVOICE)


def layout_of(folder: Path) -> ModelLayout:
    """The layout of a model folder. Raises `ModelError` that says what each known layout lacks."""
    lacking = {layout.family: layout.missing(folder) for layout in LAYOUTS}
    for layout in LAYOUTS:
        if not lacking[layout.family]:
            return layout
    if (folder / "model.pt").is_file():
        raise ModelError(
            "a FunASR checkpoint, which runs only under torch",
            where=folder,
            hint=f"Export it once: funasr-cli export {folder} -o DIR",
        )
    reasons = "\n  ".join(f"{family}: no {', no '.join(missing)}" for family, missing in lacking.items())
    raise ModelError("not a model that this program knows", where=folder, hint=reasons)


def choose_weights(layout: ModelLayout, folder: Path, precision: str) -> tuple[Path, str]:
    """The file with the weights for a CPU in `precision` (`auto`, `float32`, `int8`), and which precision that is.

    Raises `ModelError` where the folder has them in another precision only, or compiled for NPUs.
    """
    found = {kind: _first(folder, names) for kind, names in layout.weights.items()}
    there = {kind: path for kind, path in found.items() if path}
    if not there:
        raise ModelError("is compiled for NPUs, and has no weights for a CPU", where=folder, hint="--device npu")
    wanted = next(iter(there)) if precision == AUTO else precision
    if wanted not in there:
        raise ModelError(f"has no weights for --precision {precision}, only {', '.join(there)}", where=folder)
    return there[wanted], wanted


def hash_files(layout: ModelLayout, folder: Path, weights: Path) -> Mapping[str, str]:
    """sha256 by name of the weights and of all else in the folder that makes a difference. Raises `OSError`."""
    others = {path for pattern in layout.others for path in folder.glob(pattern) if path.is_file()}
    return {path.name: sha256_of(path) for path in [weights, *sorted(others - {weights})]}


def content_of(hashes: Mapping[str, str]) -> str:
    """One hash of all of a model's files, from theirs by name."""
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _first(folder: Path, patterns: Sequence[str]) -> Path | None:
    """The first file that fits the first pattern for which there is one."""
    return next((path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()), None)
