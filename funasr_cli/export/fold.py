"""Constant folding of a graph."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import ModelProto

from funasr_cli.errors import ModelError
from funasr_cli.system.onnx_sessions import make_session


def fold(model: ModelProto, scratch: Path) -> ModelProto:
    """Return a copy of `model` after ONNX Runtime's basic optimisations, which use ONNX's own operators only.

    Its constants are initialisers. The folder `scratch` temporarily needs twice the model's size.

    Raises `ModelError` if ONNX Runtime cannot load the graph.
    """
    before, after = scratch / "before.onnx", scratch / "after.onnx"
    onnx.save(model, before)
    try:
        make_session(before, optimized=after)
    except Exception as error:  # the library's classes have no common base but Exception
        raise ModelError(f"ONNX Runtime cannot load the graph: {error}") from error
    folded = onnx.load(after)
    for path in (before, after):
        path.unlink()
    default = [entry for entry in folded.opset_import if entry.domain in ("", "ai.onnx")]
    del folded.opset_import[:]
    folded.opset_import.extend(default)
    folded.ir_version = model.ir_version
    return folded
