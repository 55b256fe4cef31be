"""How a run is shown while it goes on: a live display on a terminal, lines in a log, or nothing. Always on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from funasr_cli.reporting.stats import RunStats, audio_time

PLAIN_INTERVAL_S = 30.0
"""Seconds between two lines in a log."""

BAR_COLUMNS = 12
"""Characters of the live bar."""

MIN_NAME_COLUMNS = 12
"""Characters that the name of the file under way has at least, before numbers that can be done without."""


class Display:
    """Shows nothing but what must be said: errors and warnings. The base of the other displays."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def start(self, stats: RunStats) -> None:
        """The run begins with everything that `stats` totals."""

    def update(self, stats: RunStats, current: str) -> None:
        """`stats` changed, or another file is under way."""

    def note(self, text: str) -> None:
        """Something worth knowing, for those who watch."""

    def warn(self, text: str) -> None:
        """Something that must be known."""
        self._print(text)

    def _print(self, text: str) -> None:
        with suppress(OSError):  # a log that is full or gone must not cost a recording; the manifest has it all
            print(text, file=self.stream, flush=True)

    def close(self, stats: RunStats) -> None:
        """The run is over."""


class PlainDisplay(Display):
    """Lines for a log, at most one in `PLAIN_INTERVAL_S` seconds."""

    _last = 0.0

    def start(self, stats: RunStats) -> None:
        self._last = time.monotonic()

    def update(self, stats: RunStats, current: str) -> None:
        if time.monotonic() - self._last >= PLAIN_INTERVAL_S:
            self._last = time.monotonic()
            meter = tqdm.format_meter(
                round(100 * stats.share), 100, stats.elapsed, bar_format="{percentage:.0f} % [{elapsed}<{remaining}]"
            )
            self.note(f"{meter} {stats} ({current})")

    def note(self, text: str) -> None:
        self._print(text)

    def close(self, stats: RunStats) -> None:
        self.note(f"{stats} in {audio_time(stats.elapsed)}")


class RichDisplay(Display):
    """A live line with the file under way; notes and warnings scroll above it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = Console(file=stream)
        self._bar = Progress(LiveLine(self._console), console=self._console, transient=True, expand=True)
        self._task: TaskID | None = None

    def start(self, stats: RunStats) -> None:
        self._task = self._bar.add_task("", total=stats.total_work, stats=stats, current="")
        self._bar.start()

    def update(self, stats: RunStats, current: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=stats.work + stats.open_work, stats=stats, current=current)

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self._console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def close(self, stats: RunStats) -> None:
        self._bar.stop()
        self.note(f"{stats} in {audio_time(stats.elapsed)}")


class LiveLine(ProgressColumn):
    """Percentage and numbers, and as the terminal is wider: a bar, the file under way, audio, speed and devices."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def render(self, task: Task) -> Table:
        """One line that the terminal does not break."""
        stats, current = task.fields["stats"], task.fields["current"]
        line = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [f"{task.percentage:>3.0f} %"]
        room = self._console.width - len("100 % ")
        shortest = len(stats.brief(0))
        if room - shortest > BAR_COLUMNS + 1:
            cells.insert(0, ProgressBar(task.total, task.completed, width=BAR_COLUMNS))
            room -= BAR_COLUMNS + 1
        numbers = stats.brief(room - MIN_NAME_COLUMNS - 1)
        cells.append(Text(numbers, no_wrap=True, overflow="crop"))
        room -= len(numbers) + 1
        if room > 0:
            # An ellipsis is no character of every terminal.
            name = Text(current if len(current) <= room else current.rpartition("/")[2], style="dim", no_wrap=True)
            name.truncate(room, overflow="ellipsis" if self._console.encoding.startswith("utf") else "crop")
            cells.append(name)
        for _ in cells:
            line.add_column(no_wrap=True)
        line.add_row(*cells)
        return line


def make_display(style: str, *, results_on_stdout: bool) -> Display:
    """The display asked for; `auto` is silent beside results on stdout, live on a terminal, plain elsewhere."""
    if style == "auto":
        style = "none" if results_on_stdout else "rich" if sys.stderr.isatty() else "plain"
    kinds = {"rich": RichDisplay, "plain": PlainDisplay, "none": Display}
    return kinds[style](sys.stderr)
