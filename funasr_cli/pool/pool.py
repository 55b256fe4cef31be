"""Assembles a pool of processes from its parts."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import FAMILIES
from funasr_cli.pool.coordinator import TICK_S, Coordinator
from funasr_cli.pool.device_supervisor import DeviceSupervisor
from funasr_cli.pool.dispatcher import Dispatcher, windows_at
from funasr_cli.pool.process_handles import LANES_PER_WORKER, DeviceHandle, WorkerHandle
from funasr_cli.pool.shared_memory import ProgressBoard, Slots
from funasr_cli.pool.sizing import PoolSize
from funasr_cli.pool.worker_supervisor import WorkerSupervisor
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.writer import StoreWriter
from funasr_cli.system.clock import ActiveClock
from funasr_cli.system.process import preload
from funasr_cli.system.refusals import check_open_files


@contextmanager
def open_pool(
    size: PoolSize,
    store: OutputStore,
    model: Model,
    settings: Settings,
    reporter: Reporter,
    check_stop: Callable[[], None],
    *,
    window_timeout: float,
    debug: bool = False,
) -> Iterator[Coordinator]:
    """Start a pool; none of its processes outlives the context.

    A device process that takes longer than `window_timeout` seconds for a window counts as hung. With `debug`, the
    first recording that fails or the first process that dies ends the run.
    """
    words = ["pypinyin"] if settings.hotwords else []  # its dictionaries are then in memory only once
    preload("funasr_cli.pool.worker", *FAMILIES[model.family].preload, "rjieba", *words)
    at_devices = sum(windows_at(placement.windows) for placement in size.placements)
    count = at_devices + size.workers * LANES_PER_WORKER
    check_open_files(size.workers + len(size.placements))
    model = model.made_absolute()
    with (
        closing(Slots(count)) as slots,
        closing(ProgressBoard(size.workers * LANES_PER_WORKER)) as board,
        selectors.DefaultSelector() as selector,
        StoreWriter(store) as writer,
    ):
        clock = ActiveClock(TICK_S)

        def watch(one: WorkerHandle | DeviceHandle) -> None:
            selector.register(one.child.pipe, selectors.EVENT_READ, one)

        selector.register(writer, selectors.EVENT_READ, writer)
        dispatcher: Dispatcher[WorkerHandle, DeviceHandle] = Dispatcher(
            count,
            to_worker=lambda worker, message: worker.child.send(message),
            to_device=lambda device, order: device.child.send(order),
            now=lambda: clock.now,
        )
        devices = DeviceSupervisor(slots, model, dispatcher, reporter, watch, clock, window_timeout=window_timeout)
        workers = WorkerSupervisor(size, slots, board, model, settings, watch, clock)
        coordinator = Coordinator(
            selector, writer, dispatcher, devices, workers, reporter, clock, check_stop, debug=debug
        )
        try:
            for placement in size.placements:
                devices.start(placement)
            workers.start_all()
            yield coordinator
        finally:
            coordinator.end_children()
