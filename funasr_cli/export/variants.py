"""Temporary graphs for a compiler: a folder's graph with another end, or with lengths that stay free."""

from __future__ import annotations

from pathlib import Path

import onnx

from funasr_cli.errors import ModelError, reading
from funasr_cli.export.freeze import append_topk, cut_topk
from funasr_cli.export.opset import lower


def write_variant(source: Path, target: Path, *, cut: bool, topk: int) -> None:
    """Write the graph of `source` without its TopK (`cut`), or with a TopK of `topk` labels; `topk` 0 keeps the logits.

    The opset is 16 at most. Raises `ModelError` unless `export` or `freeze` made the graph.
    """
    with reading(source, ModelError):
        model = onnx.load(source)
    lower(model)
    if cut:
        cut_topk(model)
    elif topk:
        append_topk(model, topk)
    onnx.checker.check_model(model)
    onnx.save(model, target)
