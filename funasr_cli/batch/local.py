"""A run in this one process: each recording in turn, failures kept to themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice

from funasr_cli.errors import DeviceError, DeviceLost, FunasrError, RecordError, StdoutError, as_input_error
from funasr_cli.pipeline.timings import Stopwatch
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.reporting.reporter import Ledger, located, name_of
from funasr_cli.store.entries import Content
from funasr_cli.store.sinks import Delivery, Summary
from funasr_cli.system.deadline import Deadline


class Solo:
    """Does deliveries one after another. What it has done so far is in the ledger, also when it is interrupted."""

    def __init__(self, transcriber: Transcriber, ledger: Ledger, check_stop: Callable[[], None]) -> None:
        self._transcriber = transcriber
        self._ledger = ledger
        self._check_stop = check_stop

    def do(self, deliveries: Sequence[Delivery], deadline: Deadline, max_files: int | None, *, debug: bool) -> None:
        """Do up to `max_files`, as long as `deadline` has not passed; the others are left for next time.

        A recording that fails costs only itself; with `debug` it ends the run with its traceback.
        """
        settled = 0
        self._ledger.open(deliveries)
        try:
            for delivery in islice(deliveries, max_files):
                if deadline.passed:
                    break
                self._do_one(delivery, debug)
                settled += 1
        finally:
            self._ledger.close(len(deliveries) - settled)

    def _do_one(self, delivery: Delivery, debug: bool) -> None:
        name, watch, tally = name_of(delivery), Stopwatch(), self._ledger.tally
        busy = tally.busy

        def tick(seconds: float, duration: float | None) -> None:
            self._check_stop()
            tally.busy = busy + watch.seconds.get("run", 0.0)
            self._ledger.moved(name, seconds, delivery.size * min(1.0, seconds / duration) if duration else 0.0)

        self._check_stop()
        delivery.start()
        content = Content.of(delivery.source.path)
        try:
            tick(0.0, None)
            transcript = asyncio.run(self._transcriber.transcribe(delivery.source.path, name, tick, watch))
            warnings = delivery.deliver(transcript, content, watch.seconds)
        except (RecordError, StdoutError):
            raise
        except Exception as error:
            gone = isinstance(error, DeviceError) and not isinstance(error, DeviceLost)
            if debug or gone:
                raise
            failure = error if isinstance(error, FunasrError) else as_input_error(error, delivery.source.path)
            delivery.fail(located(delivery, failure), content, watch.seconds)
            self._ledger.failed(delivery, failure)
        else:
            self._ledger.done(delivery, Summary.of(transcript), warnings)
        tally.busy = busy + watch.seconds.get("run", 0.0)
        self._ledger.moved(name, 0.0, 0.0)
