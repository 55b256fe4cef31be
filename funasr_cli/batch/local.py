"""A run in a single process: one recording after another, each failing on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice

from funasr_cli.errors import DeviceError, DeviceLost, Postponed, RecordError, StdoutError
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.reporting.reporter import Reporter, name_of, with_location
from funasr_cli.store.entries import InputContent, TranscriptSummary
from funasr_cli.store.sinks import Sink
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.refusals import as_funasr_error


class LocalRun:
    """Transcribes recordings one after another. The totals are up to date even after an interruption."""

    def __init__(self, transcriber: Transcriber, reporter: Reporter, check_stop: Callable[[], None]) -> None:
        self._transcriber = transcriber
        self._reporter = reporter
        self._check_stop = check_stop

    def do(self, sinks: Sequence[Sink], deadline: Deadline, max_files: int | None, *, debug: bool) -> None:
        """Transcribe up to `max_files` until `deadline` passes; the others are left for next time.

        A failing recording does not affect the others, but with `debug` it ends the run with its traceback.
        """
        settled = 0
        self._reporter.open(sinks)
        try:
            for sink in islice(sinks, max_files):
                if deadline.passed:
                    break
                self._do_one(sink, debug)
                settled += 1
        finally:
            self._reporter.close(len(sinks) - settled)

    def _do_one(self, sink: Sink, debug: bool) -> None:
        name, timings, stats = name_of(sink), StageTimings(), self._reporter.stats
        busy = stats.busy

        def on_progress(_: float, recognized: float, duration: float | None) -> None:
            self._check_stop()
            stats.busy = busy + timings.seconds.get("run", 0.0)
            share = min(1.0, recognized / duration) if duration else 0.0
            self._reporter.moved(name, recognized, sink.size * share)

        self._check_stop()
        sink.start()
        content = InputContent.of(sink.source.path)
        try:
            on_progress(0.0, 0.0, None)
            recognition = asyncio.run(self._transcriber.recognize(sink.source.path, on_progress, timings))
            transcript = self._transcriber.compose(recognition, name)
            warnings = sink.deliver(transcript, content, timings.seconds, recognition)
        except (RecordError, StdoutError):
            raise
        except Exception as error:
            gone = isinstance(error, DeviceError) and not isinstance(error, DeviceLost)
            if gone or (debug and not isinstance(error, Postponed)):
                raise
            failure = as_funasr_error(error, sink.source.path)
            sink.fail(with_location(sink, failure), content, timings.seconds)
            self._reporter.failed(sink, failure)
        else:
            self._reporter.done(sink, TranscriptSummary.of(transcript), warnings)
        stats.busy = busy + timings.seconds.get("run", 0.0)
        self._reporter.moved(name, 0.0, 0.0)
