"""The device process: runs the graph on its device and nothing else, so that its crash affects no other process."""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from threading import Lock
from traceback import format_exc, print_exc

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
"""Windows in progress at a time on an NPU: while one runs, the next is already on the device."""


def serve_device(pipe: Connection, slots: Slots, model: Model, placement: Placement) -> None:
    """Load the model and run windows until the pipe closes. Exits with an error if the device does not recover."""
    init_child("funasr-device")
    pin(placement.node)
    # The pipe closed because the parent is gone or wants this process to end; or the device cannot be released, which
    # the end of the process does.
    with suppress(EOFError, OSError, DeviceError), ExitStack() as opened:
        try:
            executor, graph = load_executor(model, placement, lambda text: pipe.send(DeviceNotice(text)))
            opened.callback(executor.close)
            recognizer = load_recognizer(model, graph)
        except FunasrError as error:
            pipe.send(DeviceUnusable(error, format_exc()))
            return
        pipe.send(DeviceReady(graph, recognizer.window))
        if placement.windows > 1:
            run_side_by_side(executor, pipe, slots, placement.windows)
        else:
            run_in_turn(executor, pipe, slots)


def run_side_by_side(executor: Executor, pipe: Connection, slots: Slots, windows: int) -> None:
    """Run windows until the pipe closes, `windows` at a time, started in order and answered as they finish."""
    sending = Lock()

    def answer(slot: int) -> None:
        try:
            said = _answer(executor, slots, slot, _begin(executor, slots.inputs(slot)))
            with sending:
                pipe.send(said)
        except BrokenPipeError:
            return  # the parent is gone
        except BaseException:  # the thread pool would swallow it, and the parent would wait in vain
            print_exc()
            os._exit(1)

    threads = ThreadPoolExecutor(windows)
    try:
        while True:
            order: RunWindow = pipe.recv()
            threads.submit(answer, order.slot)
    finally:
        threads.shutdown(cancel_futures=True)


def run_in_turn(executor: Executor, pipe: Connection, slots: Slots) -> None:
    """Run windows in order until the pipe closes; the next one is begun before the outputs of the last are fetched."""
    begun: deque[tuple[int, Fetch]] = deque()
    while True:
        while not begun or (len(begun) < MAX_BEGUN_WINDOWS and pipe.poll()):
            order: RunWindow = pipe.recv()
            begun.append((order.slot, _begin(executor, slots.inputs(order.slot))))
        try:
            pipe.send(_answer(executor, slots, *begun.popleft()))
        except DeviceError as error:
            logger.debug("the device does not recover", exc_info=True)
            pipe.send(DeviceNotice(str(error)))
            sys.exit(1)  # the window is run again in a new process, for which the device may work


def _begin(executor: Executor, inputs: Arrays) -> Fetch:
    try:
        return executor.begin(inputs)
    except Exception as error:  # raised when its turn comes: answers are sent in the order of the windows
        return failed(error)


def _answer(executor: Executor, slots: Slots, slot: int, fetch: Fetch) -> FromDevice:
    try:
        outputs, seconds = fetch()
        slots.write_outputs(slot, outputs)
    except DeviceLost as error:
        return WindowFailed(slot, error, format_exc())
    except DeviceError:
        raise
    except Exception as error:  # a runtime may raise anything, and the next window may still work
        what = f"running a window failed: {type(error).__name__}: {error}"
        return WindowFailed(slot, ModelError(what), format_exc())
    return WindowDone(slot, seconds, executor.device)
