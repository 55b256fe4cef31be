"""One run's way through its recordings: in this process alone, or with a pool of processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from funasr_cli.audio.windows import WindowShape
from funasr_cli.errors import UsageError
from funasr_cli.executors.selection import DeviceChoice
from funasr_cli.models.store import Model
from funasr_cli.pool.sizing import cpu_pool_size, npu_pool_size, single_placement
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.sinks import FileSink, Sink, StdoutSink
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.numa import pin
from funasr_cli.system.signals import StopSignals


@dataclass(frozen=True, slots=True)
class Backend:
    """What a run works with, whether it writes files or to stdout."""

    settings: Settings
    model: Model
    why_model: str
    device: DeviceChoice
    fallback: bool
    nodes: Sequence[int | None]
    display: Display
    deadline: Deadline
    max_files: int | None
    workers: int | None
    window_timeout: float
    debug: bool

    def print(self, sinks: Sequence[StdoutSink], stats: RunStats) -> None:
        """Do all of `sinks` in this process, in their order. Raises `Interrupted` where a signal came."""
        self._alone(sinks, stats)

    def write(self, sinks: Sequence[FileSink], record: OutputStore, stats: RunStats) -> None:
        """Do all of `sinks`, with a pool of processes where there are several. Raises `Interrupted`.

        An NPU always has a process of its own, which can be ended when it hangs.
        """
        single = min(len(sinks), self.max_files or len(sinks)) == 1
        if self.debug or (single and not self.device.npus):
            self._alone(sinks, stats)
        else:
            self._transaction(sinks, record, stats)

    def _alone(self, sinks: Sequence[Sink], stats: RunStats) -> None:
        # The runtimes take longer to import than a night takes in which nothing is new.
        from funasr_cli.batch.local import LocalRun
        from funasr_cli.pipeline.transcriber import Transcriber
        from funasr_cli.pipeline.window_runner import load_window_runner

        placement = single_placement(self.device.npus, fallback=self.fallback, window_timeout=self.window_timeout)
        settings = self.settings
        pin(self.nodes[0])
        with (
            StopSignals() as signals,
            closing(
                load_window_runner(
                    self.model, placement, itn=settings.itn, hotwords=settings.hotwords, tell=self.display.warn
                )
            ) as runner,
        ):
            self._check(runner.recognizer.languages, runner.recognizer.window)
            self._introduce(runner.device)
            solo = LocalRun(Transcriber(runner, settings), Reporter(self.display, stats), signals.check)
            solo.do(sinks, self.deadline, self.max_files, debug=self.debug)

    def _transaction(self, sinks: Sequence[FileSink], record: OutputStore, stats: RunStats) -> None:
        from funasr_cli.pool.coordinator import Coordinator

        count = len(sinks)
        if self.device.npus:
            pool_size = npu_pool_size(
                self.device.npus, self.workers, count, fallback=self.fallback, window_timeout=self.window_timeout
            )
        else:
            pool_size = cpu_pool_size(self.model, self.workers, count)
        pool_size = pool_size.on_nodes(self.nodes)
        reporter = Reporter(self.display, stats)
        with (
            StopSignals() as signals,
            Coordinator(
                pool_size,
                record,
                self.model,
                self.settings,
                reporter,
                signals.check,
                window_timeout=self.window_timeout,
            ) as pool,
        ):
            loaded = pool.load()
            self._check(loaded.languages, loaded.window)
            self._introduce(loaded.graph.device)
            self.display.note(str(pool_size))
            pool.do(sinks, self.deadline, self.max_files)

    def _check(self, languages: frozenset[str], window: float) -> None:
        """Refuse settings that this model cannot do."""
        if self.settings.language is not None and self.settings.language not in languages:
            raise UsageError(
                f"{self.model.name} does not know the language {self.settings.language!r}",
                hint=f"It knows: auto, {', '.join(sorted(languages))}.",
            )
        with nonsense_is_a_usage_error():
            WindowShape(window, self.settings.overlap)

    def _introduce(self, device: str) -> None:
        self.display.note(f"model {self.model.name}: {self.why_model}")
        why = self.device.why
        if self.device.npus and not device.startswith("npu"):
            why = "in place of an NPU that cannot be used, as --on-device-failure says"
        self.display.note(f"device {device}: {why}")


@contextmanager
def nonsense_is_a_usage_error() -> Iterator[None]:
    """Values that are right each for itself but make no sense together are refused where they meet."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error
