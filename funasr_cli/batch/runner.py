"""The run: every recording in turn, failures kept to themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from funasr_cli.batch.deadline import Deadline
from funasr_cli.batch.delivery import Delivery
from funasr_cli.batch.progress import Display, Tally
from funasr_cli.batch.record import LeftForNextTime
from funasr_cli.batch.signals import Interrupted
from funasr_cli.batch.stopwatch import Stopwatch
from funasr_cli.batch.transcriber import Tick, Transcriber
from funasr_cli.errors import FunasrError, InputError, RecordError
from funasr_cli.files import shown
from funasr_cli.transcript import Transcript


class Run:
    """Does deliveries one after another. What it has done so far is in `tally`, also when it is interrupted."""

    def __init__(
        self, transcriber: Transcriber, display: Display, tally: Tally, check_stop: Callable[[], None]
    ) -> None:
        self._transcriber = transcriber
        self._display = display
        self._tally = tally
        self._check_stop = check_stop

    def do(self, deliveries: Sequence[Delivery], deadline: Deadline, max_files: int | None, *, debug: bool) -> None:
        """Do up to `max_files`, as long as `deadline` has not passed; the others are left for next time.

        A recording that fails costs only itself; with `debug` it ends the run with its traceback.
        """
        sizes = [_size(delivery.source.path) for delivery in deliveries]
        self._tally.total_files = len(deliveries) + self._tally.failed  # what could not be found has failed already
        self._tally.total_work = float(sum(sizes))
        taken = 0
        self._display.start(self._tally)
        try:
            for delivery, size in islice(zip(deliveries, sizes, strict=True), max_files):
                if deadline.passed:
                    break
                taken += 1
                self._do_one(delivery, size, debug)
        finally:
            self._tally.left += len(deliveries) - taken
            self._display.close(self._tally)

    def _do_one(self, delivery: Delivery, size: int, debug: bool) -> None:
        tally, name = self._tally, shown(delivery.source.relative)
        audio, work = tally.audio, tally.work

        def tick(seconds: float, duration: float | None) -> None:
            self._check_stop()
            tally.audio = audio + seconds
            tally.work = work + (size * min(1.0, seconds / duration) if duration else 0.0)
            self._display.update(tally, name)

        self._check_stop()
        self._display.update(tally, name)
        watch = Stopwatch()
        delivery.start()
        try:
            transcript = self._transcribe(delivery.source.path, name, tick, watch)
            for warning in [*transcript.warnings, *delivery.deliver(transcript, watch.seconds)]:
                self._display.warn(f"warning: {name}: {warning}")
            tally.audio = audio + transcript.duration
            tally.speech += transcript.speech_seconds
            if transcript.segments:
                tally.done += 1
            else:
                tally.empty += 1
        except Interrupted:
            tally.audio = audio
            tally.left += 1
            raise
        except RecordError:
            raise
        except FunasrError as error:
            if debug:
                raise
            if delivery.source.is_stdin:
                error.where = name  # not that of the file it was spooled into
            delivery.fail(error, watch.seconds)
            self._display.warn(f"failed: {error}")
            tally.audio = audio
            if isinstance(error, LeftForNextTime):
                tally.left += 1
            else:
                tally.failed += 1
        tally.work = work + size
        self._display.update(tally, name)

    def _transcribe(self, path: Path, name: str, tick: Tick, watch: Stopwatch) -> Transcript:
        try:
            return self._transcriber.transcribe(path, name, tick, watch)
        except FunasrError:
            raise
        except Exception as error:  # a defect, but it need not cost the rest of the night
            what = f"unexpected {type(error).__name__}: {error}"
            raise InputError(what, where=path, hint="This is a defect. --debug shows where.") from error


def _size(path: Path) -> int:
    try:
        return max(1, path.stat().st_size)
    except OSError:
        return 1  # it will fail when its turn comes
