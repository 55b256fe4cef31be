"""The device process: the graph on its device, and nothing else. What happens to it happens to nobody else."""

from __future__ import annotations

import sys
import time
from contextlib import closing, suppress
from multiprocessing.connection import Connection

from funasr_cli.batch.child import settle_in
from funasr_cli.batch.crew import Seat
from funasr_cli.batch.families import load_executor, load_recognizer
from funasr_cli.batch.messages import Broke, FromDevice, Loaded, Note, Ran, Run, Unusable
from funasr_cli.batch.numa import pin
from funasr_cli.batch.shared import Slots
from funasr_cli.errors import DeviceError, DeviceLost, FunasrError, ModelError
from funasr_cli.executors.base import Executor
from funasr_cli.models.store import Model


def serve_device(pipe: Connection, slots: Slots, model: Model, seat: Seat) -> None:
    """Load the model and run windows until the pipe closes. Ends with an error where the device does not come back."""
    settle_in("funasr-device")
    pin(seat.node)
    # The parent is gone, or wants this process to go; or the device does not let go, but will with the process.
    with suppress(EOFError, OSError, DeviceError):
        try:
            executor, graph = load_executor(model, seat, lambda text: pipe.send(Note(text)))
            recognizer = load_recognizer(model, graph)
        except FunasrError as error:
            pipe.send(Unusable(error))
            return
        with closing(executor):
            pipe.send(Loaded(graph, recognizer.window, recognizer.languages))
            while True:
                order: Run = pipe.recv()
                try:
                    pipe.send(_answer(executor, slots, order.slot))
                except DeviceError as error:
                    pipe.send(Note(str(error)))
                    sys.exit(1)  # the window is run again in another process, which may find the device well


def _answer(executor: Executor, slots: Slots, slot: int) -> FromDevice:
    try:
        inputs = slots.inputs(slot)
        started = time.perf_counter()
        outputs = executor.run(inputs)
        seconds = time.perf_counter() - started
        slots.write_outputs(slot, outputs)
    except DeviceLost as error:
        return Broke(slot, error)
    except DeviceError:
        raise
    except Exception as error:  # a runtime may raise anything, and the next window may well be run
        return Broke(slot, ModelError(f"the run of a window failed: {type(error).__name__}: {error}"))
    return Ran(slot, seconds, executor.device)
