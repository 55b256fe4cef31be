"""What a run has done so far, file by file: in the totals, and told to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Sequence

from funasr_cli.errors import FunasrError
from funasr_cli.files import shown
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.stats import Tally
from funasr_cli.store.output_store import LeftForNextTime
from funasr_cli.store.sinks import Delivery, Summary


class Ledger:
    """Keeps `tally` and tells `display`."""

    def __init__(self, display: Display, tally: Tally) -> None:
        self.display = display
        self.tally = tally

    def open(self, deliveries: Sequence[Delivery]) -> None:
        """These are to be done."""
        self.tally.opened = time.monotonic()
        self.tally.total_files = len(deliveries) + self.tally.failed  # what could not be found has failed already
        self.tally.total_work = float(sum(delivery.size for delivery in deliveries))
        self.display.start(self.tally)

    def moved(self, current: str, audio: float, work: float) -> None:
        """So many seconds of audio and bytes of recordings are done of those under way, `current` among them."""
        self.tally.open_audio, self.tally.open_work = audio, work
        self.display.update(self.tally, current)

    def done(self, delivery: Delivery, summary: Summary, warnings: Sequence[str]) -> None:
        """There is a result; `warnings` came up when it was delivered."""
        for warning in [*summary.warnings, *warnings]:
            self.display.warn(f"warning: {place_of(delivery)}: {warning}")
        self.tally.ran_on[summary.device] += 1
        self.tally.audio += summary.duration
        self.tally.speech += summary.speech_seconds
        self.tally.work += delivery.size
        if summary.empty:
            self.tally.empty += 1
        else:
            self.tally.done += 1

    def failed(self, delivery: Delivery, error: FunasrError) -> None:
        """There is none."""
        self.tally.work += delivery.size
        if isinstance(error, LeftForNextTime):
            self.display.warn(str(error))
            self.tally.left += 1
            return
        self.display.warn(f"failed as before, unchanged: {error}" if delivery.failed_before else f"failed: {error}")
        self.tally.failed += 1
        self.tally.failed_before += delivery.failed_before

    def close(self, left: int) -> None:
        """The run is over; `left` recordings were not done."""
        self.tally.left += left
        self.tally.open_audio = self.tally.open_work = 0.0
        self.display.close(self.tally)


def located(delivery: Delivery, error: FunasrError) -> FunasrError:
    """The error with a place that says something to the user."""
    if delivery.source.is_stdin:
        error.where = place_of(delivery)  # not that of the file it was spooled into
    elif error.where is None:
        error.where = str(delivery.source.path)
    return error


def name_of(delivery: Delivery) -> str:
    """The recording by its place in the tree."""
    return shown(delivery.source.relative)


def place_of(delivery: Delivery) -> str:
    """The recording by the path that leads to it from here, as it is in messages."""
    return name_of(delivery) if delivery.source.is_stdin else shown(delivery.source.path)
