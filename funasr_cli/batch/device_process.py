"""The device process: the graph on its device, and nothing else. What happens to it happens to nobody else."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from multiprocessing.connection import Connection

from funasr_cli.batch.child import settle_in
from funasr_cli.batch.families import load_executor, load_recognizer
from funasr_cli.batch.messages import Broke, FromDevice, Loaded, Ran, Run, Unusable
from funasr_cli.batch.shared import Slots
from funasr_cli.errors import FunasrError, ModelError
from funasr_cli.executors.base import Executor
from funasr_cli.models.store import Model


def serve_device(pipe: Connection, slots: Slots, model: Model, threads: int) -> None:
    """Load the model and run windows until the pipe closes."""
    settle_in("funasr-device")
    with suppress(EOFError, OSError):  # the parent is gone, or wants this process to go
        try:
            executor, graph = load_executor(model, threads=threads)
            recognizer = load_recognizer(model, graph)
        except FunasrError as error:
            pipe.send(Unusable(error))
            return
        with closing(executor):
            pipe.send(Loaded(graph, recognizer.window, recognizer.languages))
            while True:
                order: Run = pipe.recv()
                pipe.send(_answer(executor, slots, order.slot))


def _answer(executor: Executor, slots: Slots, slot: int) -> FromDevice:
    try:
        inputs = slots.inputs(slot)
        started = time.perf_counter()
        outputs = executor.run(inputs)
        seconds = time.perf_counter() - started
        slots.write_outputs(slot, outputs)
    except Exception as error:  # a runtime may raise anything, and the next window may well be run
        return Broke(slot, ModelError(f"the run of a window failed: {type(error).__name__}: {error}"))
    return Ran(slot, seconds)
