"""The device process: the graph on its device, and nothing else. What happens to it happens to nobody else."""

from __future__ import annotations

import logging
import sys
from collections import deque
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from traceback import format_exc

from funasr_cli.arrays import Arrays
from funasr_cli.errors import DeviceError, DeviceLost, FunasrError, ModelError
from funasr_cli.executors.base import Executor, Fetch, failed
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import load_executor, load_recognizer
from funasr_cli.pool.protocol import (
    DeviceNotice,
    DeviceReady,
    DeviceUnusable,
    FromDevice,
    RunWindow,
    WindowDone,
    WindowFailed,
)
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.system.numa import pin
from funasr_cli.system.process import init_child

logger = logging.getLogger(__name__)

MAX_BEGUN_WINDOWS = 2
"""Windows that are begun at a time: while one runs, the next is on the device already."""


def serve_device(pipe: Connection, slots: Slots, model: Model, placement: Placement, careful: bool) -> None:
    """Load the model and run windows until the pipe closes. Ends with an error where the device does not come back.

    `careful`: begin no window before the last one is answered, so that it is known over which one the process dies.
    """
    init_child("funasr-device")
    pin(placement.node)
    # The parent is gone, or wants this process to go; or the device does not let go, but will with the process.
    with suppress(EOFError, OSError, DeviceError), ExitStack() as opened:
        try:
            executor, graph = load_executor(model, placement, lambda text: pipe.send(DeviceNotice(text)))
            opened.callback(executor.close)
            recognizer = load_recognizer(model, graph)
        except FunasrError as error:
            pipe.send(DeviceUnusable(error, format_exc()))
            return
        pipe.send(DeviceReady(graph, recognizer.window, recognizer.languages))
        run_windows(executor, pipe, slots, 1 if careful else MAX_BEGUN_WINDOWS)


def run_windows(executor: Executor, pipe: Connection, slots: Slots, at_once: int) -> None:
    """Answer orders, one after the other, until the pipe closes; up to `at_once` of them are begun at a time."""
    begun: deque[tuple[int, Fetch]] = deque()
    while True:
        while not begun or (len(begun) < at_once and pipe.poll()):
            order: RunWindow = pipe.recv()
            begun.append((order.slot, _begin(executor, slots.inputs(order.slot))))
        try:
            pipe.send(_answer(executor, slots, *begun.popleft()))
        except DeviceError as error:
            logger.debug("the device does not come back", exc_info=True)
            pipe.send(DeviceNotice(str(error)))
            sys.exit(1)  # the window is run again in another process, which may find the device well


def _begin(executor: Executor, inputs: Arrays) -> Fetch:
    try:
        return executor.begin(inputs)
    except Exception as error:  # answers go out in the order of the windows
        return failed(error)


def _answer(executor: Executor, slots: Slots, slot: int, fetch: Fetch) -> FromDevice:
    try:
        outputs, seconds = fetch()
        slots.write_outputs(slot, outputs)
    except DeviceLost as error:
        return WindowFailed(slot, error, format_exc())
    except DeviceError:
        raise
    except Exception as error:  # a runtime may raise anything, and the next window may well be run
        what = f"the run of a window failed: {type(error).__name__}: {error}"
        return WindowFailed(slot, ModelError(what), format_exc())
    return WindowDone(slot, seconds, executor.device)
