"""Reports the result of each recording, in the totals and on the display."""

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
    """Updates `stats` and `display`."""

    def __init__(self, display: Display, stats: RunStats) -> None:
        self.display = display
        self.stats = stats
        self._suspended = 0.0

    def open(self, sinks: Sequence[Sink]) -> None:
        """Begin with the recordings to transcribe."""
        self.stats.opened = time.monotonic()
        self.stats.total_files = len(sinks) + self.stats.failed  # inputs that could not be found have already failed
        self.stats.total_work = float(sum(sink.size for sink in sinks))
        self.display.start(self.stats)

    def moved(self, current: str, audio: float, work: float) -> None:
        """Report progress in the open recordings: seconds of audio and bytes of `work` done, and one of their names."""
        self.stats.open_audio, self.stats.open_work = audio, work
        self.display.update(self.stats, printable(current))

    def done(self, sink: Sink, summary: TranscriptSummary, warnings: Sequence[str]) -> None:
        """Report a result; `warnings` are those from delivering it."""
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
        """Report a failure, or a recording that was postponed."""
        self.stats.work += sink.size
        if isinstance(error, Postponed):
            self.display.warn(str(error))
            self.stats.left += 1
            return
        again = "failed again (file unchanged since the last failure)"
        self.display.warn(f"{again if sink.failed_before else 'failed'}: {error}")
        self.stats.failed += 1
        self.stats.failed_before += sink.failed_before

    def suspend(self) -> None:
        """Leave the terminal in order, because the process is stopped or ends."""
        self._suspended = time.monotonic()
        self.display.suspend()

    def resume(self) -> None:
        """Continue after `suspend`. The time in between counts neither for the speed nor for the time left."""
        away = time.monotonic() - self._suspended
        self.stats.started += away
        self.stats.opened += away
        self.display.resume()

    def close(self, left: int) -> None:
        """End the run; `left` recordings were not transcribed."""
        self.stats.left += left
        self.stats.open_audio = self.stats.open_work = 0.0
        self.display.close(self.stats)


def with_location(sink: Sink, error: FunasrError) -> FunasrError:
    """Make sure that the error names a place the user knows."""
    if sink.source.is_stdin or error.where is None:  # not the temporary copy of stdin
        error.where = str(sink.source.named)
    return error


def name_of(sink: Sink) -> str:
    """The recording's path relative to the input folder, unescaped."""
    return str(sink.source.relative)


def display_path(sink: Sink) -> str:
    """The recording's path as the user named it, for messages."""
    return printable(sink.source.named)
