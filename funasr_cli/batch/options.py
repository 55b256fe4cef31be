"""The options of a run, combined from the command line, the environment and the configuration file.

Each default is defined here, or in the dataclass of the package that it concerns; options and documents refer to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from funasr_cli.errors import UsageError
from funasr_cli.inputs.options import FileSelection
from funasr_cli.outputs.layout import OUTPUT_FOLDER
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.places import expand_home

OnDeviceFailure: TypeAlias = Literal["fail", "cpu"]

ProgressStyle: TypeAlias = Literal["auto", "rich", "plain", "none"]

STDIN = STDOUT = "-"

FORMATS_ON_STDOUT = ("txt",)
"""Formats that are printed by default."""

CONCATENABLE_FORMATS = ("txt", "json")
"""Formats in which several transcripts can follow each other in one stream."""


@dataclass(frozen=True, slots=True)
class InputOptions:
    """Where to look for recordings, and which of them to transcribe. `min_age` is in seconds."""

    paths: tuple[str, ...]
    selection: FileSelection = field(default_factory=FileSelection)
    min_age: float = 0.0
    force: bool = False
    verify_content: bool = False
    max_files: int | None = None


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where to write outputs and record: a folder, or - for stdout; `beside`: outputs next to their recordings.

    `keep`: store the recognised text in the record, so that outputs can be written again without a model.
    """

    output: str = OUTPUT_FOLDER
    beside: bool = False
    wait: bool = False
    keep: bool = True

    @property
    def on_stdout(self) -> bool:
        """Whether the result is printed, without a record."""
        return self.output == STDOUT

    @property
    def folder(self) -> Path:
        """The output folder."""
        return expand_home(self.output)


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """Which model to run, and on which devices. Times are in seconds.

    `cpu_runs` is the number of windows that run at a time on a CPU. None, as for `workers`: depends on the cores.
    """

    model: str | None = None
    precision: str = "auto"
    device: str = "auto"
    on_device_failure: OnDeviceFailure = "fail"
    window_timeout: float = 300.0
    numa: str = "auto"
    workers: int | None = None
    cpu_runs: int | None = None

    @property
    def fallback(self) -> bool:
        """Whether the CPU may replace an NPU that fails."""
        return self.on_device_failure == "cpu"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What to report, and how: `quiet` reports only errors and warnings, `verbose` also the reasons for choices."""

    progress: ProgressStyle = "auto"
    quiet: bool = False
    verbose: bool = False
    dry_run: bool = False
    list_orphans: bool = False
    json_summary: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run of `transcribe`. `settings` do not have the hotwords yet, which are read from `hotword_files`.

    Raises `UsageError` for options that contradict each other.
    """

    inputs: InputOptions
    outputs: OutputOptions = field(default_factory=OutputOptions)
    device: DeviceOptions = field(default_factory=DeviceOptions)
    report: ReportOptions = field(default_factory=ReportOptions)
    settings: Settings = field(default_factory=Settings)
    hotword_files: tuple[Path, ...] = ()
    deadline: str | None = None

    def __post_init__(self) -> None:
        outputs, report = self.outputs, self.report
        printing = {
            "-o -": outputs.on_stdout,
            "--dry-run": report.dry_run,
            "--list-orphans": report.list_orphans,
            "--json-summary": report.json_summary,
        }
        wanting = [name for name, given in printing.items() if given]
        if len(wanting) > 1:
            raise UsageError(f"{' and '.join(wanting)} cannot be combined: each prints to stdout")
        if report.quiet and report.verbose:
            raise UsageError("--quiet and --verbose cannot be combined")
        if outputs.on_stdout and outputs.beside:
            raise UsageError("--beside and -o - cannot be combined")
        if outputs.beside and STDIN in self.inputs.paths:
            raise UsageError("--beside cannot be used with stdin", hint="Name a folder with -o, or print with -o -.")
        if outputs.on_stdout and len(self.settings.formats) > 1:
            hint = "Choose one, e.g. -f srt, or write files with -o DIR."
            raise UsageError("only one format can be printed to stdout", hint=hint)
