"""A run in one process, with a simulated transcriber."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

from funasr_cli.batch.local import LocalRun
from funasr_cli.errors import InputError
from funasr_cli.inputs.scan import scan
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.sinks import StdoutSink
from funasr_cli.system.deadline import Deadline


class Watching(Display):
    """Records the device time at each update."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.busy: list[float] = []

    def update(self, stats: RunStats, current: str) -> None:
        self.busy.append(stats.busy)


class Pretending:
    """Runs a device for two seconds after each of two reads, then fails."""

    async def recognize(self, path: Path, on_progress: Any, timings: StageTimings) -> None:
        for second in (1.0, 2.0):
            on_progress(second, second, 2.0)
            timings.add("run", 2.0)
        raise InputError("has an end")


def test_how_busy_the_device_is_shows_while_a_recording_is_under_way(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"speech")
    (tmp_path / "b.wav").write_bytes(b"speech")
    display, stats = Watching(), RunStats()
    local = LocalRun(cast(Transcriber, Pretending()), Reporter(display, stats), lambda: None)
    sinks = [StdoutSink(source, Settings(), print) for source in scan([str(tmp_path)], None).sources]
    local.do(sinks, Deadline(None), None, debug=False)
    assert display.busy == [0.0, 0.0, 2.0, 4.0, 4.0, 4.0, 6.0, 8.0]
    assert stats.busy == 8.0
