"""Creates all ONNX Runtime sessions."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

ERRORS_ONLY = 3
"""ONNX Runtime's log level; errors reach the user as exceptions."""


def make_session(
    graph: Path,
    *,
    threads: int = 0,
    provider: str = "CPUExecutionProvider",
    arena: bool = True,
    optimized: Path | None = None,
) -> onnxruntime.InferenceSession:
    """Create a session of one graph.

    `threads` limits the cores of a run; 0: all cores. Without `arena`, the memory of large runs is released. The graph
    is written to `optimized` after ONNX Runtime's basic optimisations, which use only ONNX's own operators. Raises the
    errors of ONNX Runtime, whose only common base is `Exception`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    options.enable_cpu_mem_arena = arena
    # Threads that spin while waiting take cores from the workers that prepare the next window.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if optimized is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(str(graph), options, providers=[provider])
