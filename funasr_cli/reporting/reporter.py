"""What a run has done so far, file by file: in the totals, and told to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Sequence

from funasr_cli.errors import FunasrError, Postponed
from funasr_cli.files import printable
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.stats import RunStats
from funasr_cli.store.entries import TranscriptSummary
from funasr_cli.store.sinks import Sink


class Reporter:
    """Keeps `stats` and tells `display`."""

    def __init__(self, display: Display, stats: RunStats) -> None:
        self.display = display
        self.stats = stats
        self._suspended = 0.0

    def open(self, sinks: Sequence[Sink]) -> None:
        """These are to be done."""
        self.stats.opened = time.monotonic()
        self.stats.total_files = len(sinks) + self.stats.failed  # what could not be found has failed already
        self.stats.total_work = float(sum(sink.size for sink in sinks))
        self.display.start(self.stats)

    def moved(self, current: str, audio: float, work: float) -> None:
        """So many seconds of audio and bytes of recordings are done of those under way, `current` among them."""
        self.stats.open_audio, self.stats.open_work = audio, work
        self.display.update(self.stats, printable(current))

    def done(self, sink: Sink, summary: TranscriptSummary, warnings: Sequence[str]) -> None:
        """There is a result; `warnings` came up when it was delivered."""
        for warning in [*summary.warnings, *warnings]:
            self.display.warn(f"warning: {display_path(sink)}: {warning}")
        self.stats.ran_on[summary.device] += 1
        self.stats.audio += summary.duration
        self.stats.speech += summary.speech_seconds
        self.stats.work += sink.size
        if summary.empty:
            self.stats.empty += 1
        else:
            self.stats.done += 1

    def failed(self, sink: Sink, error: FunasrError) -> None:
        """There is none."""
        self.stats.work += sink.size
        if isinstance(error, Postponed):
            self.display.warn(str(error))
            self.stats.left += 1
            return
        self.display.warn(f"failed as before, unchanged: {error}" if sink.failed_before else f"failed: {error}")
        self.stats.failed += 1
        self.stats.failed_before += sink.failed_before

    def suspend(self) -> None:
        """The process is stopped, or ends: the terminal is left in order."""
        self._suspended = time.monotonic()
        self.display.suspend()

    def resume(self) -> None:
        """It goes on. The time in between counts neither for the speed nor for the time that is left."""
        away = time.monotonic() - self._suspended
        self.stats.started += away
        self.stats.opened += away
        self.display.resume()

    def close(self, left: int) -> None:
        """The run is over; `left` recordings were not done."""
        self.stats.left += left
        self.stats.open_audio = self.stats.open_work = 0.0
        self.display.close(self.stats)


def with_location(sink: Sink, error: FunasrError) -> FunasrError:
    """The error with a place that says something to the user."""
    if sink.source.is_stdin or error.where is None:  # not the file that stdin was spooled into
        error.where = str(sink.source.named)
    return error


def name_of(sink: Sink) -> str:
    """The recording by its place in the tree, as it is."""
    return str(sink.source.relative)


def display_path(sink: Sink) -> str:
    """The recording by the path that leads to it from here, as it is in messages."""
    return printable(sink.source.named)
