"""ONNX Runtime as an executor: a graph with fixed or free dimensions on the CPU, or on Ascend through CANN."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import DeviceError, ModelError
from funasr_cli.executors.base import Fetch, check_inputs, padded, when_fetched
from funasr_cli.executors.fast_int8 import fast_form
from funasr_cli.system.onnx_sessions import make_session
from funasr_cli.system.refusals import cure_of
from funasr_cli.system.resources import release_freed_memory

logger = logging.getLogger(__name__)

DTYPES: Mapping[str, np.dtype[Any]] = {
    f"tensor({name})": np.dtype(kind)
    for name, kind in {
        "float": np.float32, "float16": np.float16, "int32": np.int32, "int64": np.int64, "uint8": np.uint8,
        "int8": np.int8, "bool": np.bool_,
    }.items()
}  # fmt: skip

PROVIDERS = {"cpu": "CPUExecutionProvider", "cann": "CANNExecutionProvider"}


class OnnxExecutor:
    """A graph under ONNX Runtime. Inputs shorter than a fixed dimension are padded with zeros; outputs are not cut."""

    def __init__(
        self,
        path: Path,
        *,
        precision: str,
        threads: int,
        runs: int = 1,
        provider: str = "cpu",
        lengths: Collection[str] = (),
    ) -> None:
        """Load a graph.

        `precision` is the numeric type of the computation, `threads` the number of cores of each run, `runs` the number
        of concurrent runs, and `provider` a key of `PROVIDERS`. `lengths` names the inputs that state how much of the
        others is valid: everything except what is padded here. An `int8` graph on the CPU is rewritten if that makes it
        faster; `device` shows it.

        Raises `ModelError` if the graph cannot be loaded, `DeviceError` if ONNX Runtime lacks the provider.
        """
        wanted = PROVIDERS[provider]
        if wanted not in onnxruntime.get_available_providers():
            raise DeviceError(
                f"the installed ONNX Runtime has no {wanted}",
                hint="Install the package onnxruntime-cann instead of onnxruntime.",
            )
        # All runs of a session share one thread pool, and the calling thread of each run works too.
        pool = runs * (threads - 1) + 1
        fast = _fast_session(path, lengths, pool) if provider == "cpu" and precision == "int8" else None
        try:
            self._session = fast or make_session(path, threads=pool, provider=wanted)
        except Exception as error:  # the library's exceptions share no other base class
            raise ModelError(f"ONNX Runtime cannot load it: {error}", where=path, hint=cure_of(error)) from error
        release_freed_memory()
        logger.debug("%s is loaded, for %d runs with %d threads", path, runs, threads)
        self.device = f"{provider} ({precision}{', signed' if fast else ''})"
        self.inputs: Sequence[TensorSpec] = [_spec(node) for node in self._session.get_inputs()]
        self.outputs: Sequence[TensorSpec] = [_spec(node) for node in self._session.get_outputs()]
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        """Metadata that the graph's producer wrote into the file."""

    def run(self, inputs: Arrays) -> Arrays:
        fitted = {spec.name: padded(inputs[spec.name], spec) for spec in self.inputs if spec.name in inputs}
        check_inputs(self.inputs, {**inputs, **fitted})
        names = [spec.name for spec in self.outputs]
        return dict(zip(names, self._session.run(names, fitted), strict=True))

    def begin(self, inputs: Arrays) -> Fetch:
        return when_fetched(self.run, inputs)

    def close(self) -> None:
        del self._session


def _fast_session(path: Path, lengths: Collection[str], threads: int) -> onnxruntime.InferenceSession | None:
    """Return a session of the rewritten graph; None if it is not rewritten, so that the file itself is loaded."""
    try:
        with fast_form(path, lengths) as rewritten:
            return make_session(rewritten, threads=threads) if rewritten else None
    except Exception:  # the library's own, which share no other base class, or no memory for a file
        logger.debug("the rewritten form of %s cannot be loaded", path, exc_info=True)
        return None


def _spec(node: onnxruntime.NodeArg) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, DTYPES.get(node.type, np.dtype(object)), shape)
