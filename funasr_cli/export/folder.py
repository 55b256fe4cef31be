"""The folder written by `export` and `freeze`: graphs, vocabulary, statistics, and model.yaml to account for them."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, TensorProto

from funasr_cli import __version__
from funasr_cli.callbacks import Tell
from funasr_cli.errors import ModelError
from funasr_cli.export.compare import hold_against
from funasr_cli.export.cpu_form import cpu_form
from funasr_cli.export.freeze import append_topk, freeze, speak_funasr
from funasr_cli.export.opset import lower
from funasr_cli.export.quantize import quantize
from funasr_cli.features.cmvn import Cmvn, find_cmvn, write_cmvn
from funasr_cli.features.lfr import SECONDS_PER_FRAME, STACKED, STEP
from funasr_cli.files import sha256_of
from funasr_cli.json_paths import path_fields
from funasr_cli.models.model_yaml import write_model_yaml
from funasr_cli.recognizers.sensevoice.graph import LANGUAGE_IDS, TEXTNORM_IDS
from funasr_cli.recognizers.vocabulary import READERS, read_vocabulary

LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE")
TAKEN_ALONG = (*READERS, *LICENCES, "am.mvn", "config.yaml", "configuration.json")
"""Files of the source's folder that belong to the model; those that exist are copied."""

STATISTICS = ("neg_mean", "inv_stddev")
"""Metadata that model.yaml need not repeat, because am.mvn has it."""


def build(
    dynamic: Path, source: Path, target: Path, scratch: Path, *, window: float, topk: int, int8: bool, tell: Tell
) -> None:
    """Fill the folder `target` from the graph `dynamic`, which was made from the file `source`.

    The vocabulary and the like are in the folder of `source`. `scratch` is a temporary folder; `window` is in seconds;
    `topk` 0 keeps the logits. Raises `ModelError` if the graph is not SenseVoice's, cannot be made static, or then
    gives other results.
    """
    tell(f"reading {dynamic.name}")
    beside = source.parent
    model = _load(dynamic)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    cmvn = find_cmvn(beside, metadata)
    pieces = read_vocabulary(beside)
    speak_funasr(model)
    _check_vocabulary(model, len(pieces), beside)
    for name in TAKEN_ALONG:
        if (beside / name).is_file():
            shutil.copyfile(beside / name, target / name)
    write_cmvn(cmvn, target / "am.mvn")
    (target / "tokens.txt").write_text("".join(f"{piece} {i}\n" for i, piece in enumerate(pieces)), encoding="utf-8")
    metadata = {**sherpa_metadata(cmvn, len(pieces)), **metadata}
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, target / "model.onnx")

    frames = math.ceil(round(window / SECONDS_PER_FRAME, 6))
    static_name = f"model_{window:g}s_{f'top{topk}' if topk else 'logits'}.onnx"
    tell(f"freezing to {frames} frames: {static_name}")
    lower(model)
    static = freeze(model, frames, scratch)
    if topk:
        append_topk(static, topk)
    onnx.checker.check_model(static)
    onnx.save(static, target / static_name)
    tell("comparing the static graph with the original")
    difference = hold_against(target / static_name, target / "model.onnx", frames)
    tell(f"log-probabilities of valid frames agree within {difference:.1g}")
    if int8:
        _write_int8(target, scratch, frames, tell)
    kept = {key: value for key, value in metadata.items() if key not in STATISTICS}
    _account(target, source, window=frames * SECONDS_PER_FRAME, topk=topk, tokens=len(pieces), metadata=kept)


def _write_int8(target: Path, scratch: Path, frames: int, tell: Tell) -> None:
    """Write `model_quant.onnx` next to `model.onnx`: its CPU form, if that gives the same results, in 8 bits."""
    tell("quantising: model_quant.onnx")
    unmasked = scratch / "model_cpu.onnx"
    onnx.save(cpu_form(onnx.load(target / "model.onnx"), scratch), unmasked)
    difference = hold_against(unmasked, target / "model.onnx", frames, padded=False)
    tell(f"before quantisation, log-probabilities agree within {difference:.1g}")
    quantize(unmasked, target / "model_quant.onnx")


def sherpa_metadata(cmvn: Cmvn, vocabulary: int) -> dict[str, str]:
    """Return the metadata that sherpa-onnx requires in a SenseVoice graph (scripts/sense-voice/export-onnx.py).

    Without it, sherpa-onnx exits.
    """
    return {
        "model_type": "sense_voice_ctc",
        "vocab_size": str(vocabulary),
        "lfr_window_size": str(STACKED),
        "lfr_window_shift": str(STEP),
        "normalize_samples": "0",
        "neg_mean": ",".join(map(str, cmvn.neg_mean)),
        "inv_stddev": ",".join(map(str, cmvn.inv_std)),
        **{f"lang_{code}": str(index) for code, index in LANGUAGE_IDS.items()},
        "with_itn": str(TEXTNORM_IDS["withitn"]),
        "without_itn": str(TEXTNORM_IDS["woitn"]),
    }


def _check_vocabulary(model: ModelProto, tokens: int, folder: Path) -> None:
    logits = next(output for output in model.graph.output if output.name == "ctc_logits")
    labels = logits.type.tensor_type.shape.dim[-1].dim_value
    if labels and labels != tokens:  # 0: unknown
        raise ModelError(f"the vocabulary has {tokens} tokens, the graph {labels} labels", where=folder)


def _load(path: Path) -> ModelProto:
    """Load the graph, with tensors that may be in files next to it."""
    try:
        return onnx.load(path)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=path) from error
    except Exception as error:  # protobuf's own classes, and onnx's for a missing tensor file
        raise ModelError(f"not an ONNX graph: {error}", where=path) from error


def _account(target: Path, source: Path, **facts: Any) -> None:
    licence = next((name for name in LICENCES if (target / name).is_file()), "not stated by the source")
    made = {
        "family": "sensevoice",
        **facts,
        "licence": licence,
        "made_from": {**path_fields("file", source.name), "sha256": sha256_of(source)},
        "made_by": f"funasr-cli {__version__}",
        "graphs": {path.name: _tensors(path) for path in sorted(target.glob("*.onnx"))},
        "sha256": {path.name: sha256_of(path) for path in sorted(target.iterdir()) if path.is_file()},
    }
    write_model_yaml(target, made)


def _tensors(path: Path) -> dict[str, Any]:
    """Return inputs and outputs of a graph as `name: dtype [sizes]`, and its opset."""
    model = onnx.load(path, load_external_data=False)

    def described(values: Any) -> Iterator[tuple[str, str]]:
        for value in values:
            tensor = value.type.tensor_type
            sizes = ", ".join(d.dim_param or str(d.dim_value) for d in tensor.shape.dim)
            yield value.name, f"{TensorProto.DataType.Name(tensor.elem_type).lower()} [{sizes}]"

    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    return {
        "opset": opset,
        "inputs": dict(described(model.graph.input)),
        "outputs": dict(described(model.graph.output)),
    }
