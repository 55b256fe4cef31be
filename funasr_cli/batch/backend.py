"""The backend of a run: the model on its device, in this process or in a pool of processes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from funasr_cli.audio.windows import WindowShape
from funasr_cli.batch.options import DeviceOptions, RunOptions
from funasr_cli.errors import UsageError
from funasr_cli.executors.ascend.topology import choose_nodes
from funasr_cli.executors.selection import DeviceChoice, choose_device
from funasr_cli.files import printable
from funasr_cli.models.store import Model, default_model, find_model
from funasr_cli.pool.sizing import PoolSize, cpu_pool_size, npu_pool_size, single_placement
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.sinks import FileSink, Sink
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.numa import pin
from funasr_cli.system.signals import StopSignals

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """The model of a run and why it was chosen, its device, and the NUMA node of each process (None: any)."""

    model: Model
    model_reason: str
    device: DeviceChoice
    nodes: Sequence[int | None]


def choose_target(options: DeviceOptions, display: Display) -> Target:
    """Choose model, device and NUMA nodes by the options and this machine.

    Raises `ModelError` or `DeviceError` if they are not available, `UsageError` if there is no such NUMA node.
    """
    name, reason = (options.model, "asked for with --model") if options.model else default_model()
    device = choose_device(options.device)
    if device.passed_over:
        display.warn(f"device {device.kind}: {device.why}")
    model = find_model(name, options.precision, device.soc)
    logger.debug("model %s in %s, sha256 %s", model.name, model.path, model.sha256)
    return Target(model, reason, device, choose_nodes(options.numa, device.npus))


class Backend:
    """Transcribes recordings; raises `Interrupted` if a signal arrives."""

    def __init__(
        self, options: RunOptions, settings: Settings, target: Target, deadline: Deadline, reporter: Reporter
    ) -> None:
        self._options = options
        self._settings = settings
        self._target = target
        self._deadline = deadline
        self._reporter = reporter

    def write(self, sinks: Sequence[FileSink], store: OutputStore) -> None:
        """Transcribe into files, with a pool of processes if there are several recordings.

        An NPU gets its own process, which can be ended if it hangs. `run_local`, used for `-o -`, lacks that.
        """
        if self._count(sinks) == 1 and not self._target.device.npus and len(self._target.nodes) == 1:
            self.run_local(sinks)
        else:
            self._run_pool(sinks, store)

    def run_local(self, sinks: Sequence[Sink]) -> None:
        """Transcribe in this process, one recording after another."""
        # Importing the runtimes takes longer than a whole run that finds nothing new.
        from funasr_cli.batch.local import LocalRun
        from funasr_cli.pipeline.transcriber import Transcriber
        from funasr_cli.pipeline.window_runner import load_window_runner

        device, settings = self._options.device, self._settings
        if len(self._target.nodes) == 1:
            pin(self._target.nodes[0])  # before cores are counted
        placement = single_placement(
            self._target.model,
            self._target.device.npus,
            fallback=device.fallback,
            window_timeout=device.window_timeout,
            runs=device.cpu_runs,
        )
        self._reporter.stats.devices = placement.runs
        display = self._reporter.display
        with (
            StopSignals(self._reporter.suspend, self._reporter.resume) as signals,
            closing(
                load_window_runner(
                    self._target.model, placement, itn=settings.itn, hotwords=settings.hotwords, tell=display.warn
                )
            ) as runner,
        ):
            self._check(runner.recognizer.window)
            self._introduce(runner.device)
            local = LocalRun(Transcriber(runner, settings), self._reporter, signals.check)
            local.do(sinks, self._deadline, self._options.inputs.max_files, debug=self._options.report.debug)

    def _run_pool(self, sinks: Sequence[FileSink], store: OutputStore) -> None:
        from funasr_cli.pool.pool import open_pool

        device, count = self._options.device, self._count(sinks)
        if npus := self._target.device.npus:
            size = npu_pool_size(
                npus, device.workers, count, fallback=device.fallback, window_timeout=device.window_timeout
            ).on_nodes(self._target.nodes)
        else:
            size = cpu_pool_size(
                self._target.model, device.workers, count, nodes=self._target.nodes, runs=device.cpu_runs
            )
        with (
            StopSignals(self._reporter.suspend, self._reporter.resume) as signals,
            open_pool(
                size,
                store,
                self._target.model,
                self._settings,
                self._reporter,
                signals.check,
                window_timeout=device.window_timeout,
                debug=self._options.report.debug,
            ) as pool,
        ):
            ready = pool.wait_until_ready()
            self._check(ready.window)
            self._introduce(ready.graph.device, size)
            pool.run(sinks, self._deadline, self._options.inputs.max_files)

    def _count(self, sinks: Sequence[Sink]) -> int:
        """The number of recordings that will be transcribed."""
        return min(len(sinks), self._options.inputs.max_files or len(sinks))

    def _check(self, window: float) -> None:
        """Raise `UsageError` if the overlap is too long for the model's windows of `window` seconds."""
        try:
            WindowShape(window, self._settings.overlap)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def _introduce(self, device: str, size: PoolSize | None = None) -> None:
        """Report which model runs on which `device`, and in how many processes; in full with --verbose."""
        target, display = self._target, self._reporter.display
        model, why = printable(target.model.name), target.device.why
        if target.device.npus and not device.startswith("npu"):
            why = "instead of an NPU that cannot be used, by --on-device-failure"
        if self._options.report.verbose:
            display.note(f"model {model}: {target.model_reason}")
            display.note(f"device {device}: {why}")
            if size:
                display.note(str(size))
        else:
            display.note(f"model {model}, device {device}: {why}{f'; {size.brief}' if size else ''}")
