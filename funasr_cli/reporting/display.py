"""Displays of a run's progress on stderr: live on a terminal, as lines in a log, or none."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import ControlType, Segment
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from funasr_cli.reporting.stats import RunStats, audio_time

PLAIN_INTERVAL_S = 30.0
"""Seconds between two lines in a log."""

REFRESHES_PER_S = 5

ERASE_BELOW = Segment("\x1b[J", control=[(ControlType.ERASE_IN_LINE, 0)])
"""Erases from the cursor to the end of the screen. Rich has no name for this code, but prints any control's text."""

TO_BEGINNING = Segment("\r", control=[(ControlType.CARRIAGE_RETURN,)])

BAR_COLUMNS = 12
"""Width of the live bar, in characters."""

MIN_NAME_COLUMNS = 12
"""Minimum width of the current file's name, in characters; optional numbers are dropped first."""


class Display:
    """Shows only errors and warnings; the base class of the other displays."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def start(self, stats: RunStats) -> None:
        """Begin to show the totals in `stats`."""

    def update(self, stats: RunStats, current: str) -> None:
        """Show changed `stats`, or another `current` file."""

    def note(self, text: str) -> None:
        """Show information for whoever watches the run."""

    def warn(self, text: str) -> None:
        """Show a warning or an error."""
        self._print(text)

    def _print(self, text: str) -> None:
        with suppress(OSError):  # a log that is full or gone must not cost a recording; the manifest has it all
            print(text, file=self.stream, flush=True)

    def suspend(self) -> None:
        """Release the terminal, because this process is stopped or ends."""

    def resume(self) -> None:
        """Take the terminal again."""

    def close(self, stats: RunStats) -> None:
        """Show the final totals."""


class PlainDisplay(Display):
    """Lines for a log, at most one every `PLAIN_INTERVAL_S` seconds."""

    _last = 0.0

    def start(self, stats: RunStats) -> None:
        self._last = time.monotonic()

    def update(self, stats: RunStats, current: str) -> None:
        if time.monotonic() - self._last >= PLAIN_INTERVAL_S:
            self._last = time.monotonic()
            left = stats.time_left
            remaining = "?" if left is None else tqdm.format_interval(left)
            clock = f"[{tqdm.format_interval(stats.elapsed)}<{remaining}]"
            self.note(f"{100 * stats.share:.0f} % {clock} {stats} ({current})")

    def note(self, text: str) -> None:
        self._print(text)

    def close(self, stats: RunStats) -> None:
        self.note(f"{stats} in {audio_time(stats.elapsed)}")


class RichDisplay(Display):
    """A live line with the current file; notes and warnings scroll above it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = Console(file=stream)
        self._line = LiveLine()
        self._live = Live(self._line, console=self._console, refresh_per_second=REFRESHES_PER_S, transient=True)
        self._running = False

    def start(self, stats: RunStats) -> None:
        self._line.show(stats, "")
        self._running = True
        self.resume()

    def update(self, stats: RunStats, current: str) -> None:
        self._line.show(stats, current)

    def suspend(self) -> None:
        self._live.stop()

    def resume(self) -> None:
        if self._running:
            self._live.start()

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self._console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def close(self, stats: RunStats) -> None:
        self._running = False
        self.suspend()
        self.note(f"{stats} in {audio_time(stats.elapsed)}")


class LiveLine:
    """Percentage and file counts and, on wide terminals, a bar, the current file, audio, speed and devices.

    The cursor stays at the start of the line. A terminal that becomes narrower wraps the line and moves the cursor with
    its start, so the whole line can still be erased from the cursor on. The ^C that a terminal echoes is overwritten.
    """

    def __init__(self) -> None:
        self._stats = RunStats()
        self._current = ""

    def show(self, stats: RunStats, current: str) -> None:
        """Set the totals and the current file to show."""
        self._stats, self._current = stats, current

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield ERASE_BELOW
        yield from console.render_lines(self._row(console), options.update(width=console.width), pad=False)[0]
        yield TO_BEGINNING

    def _row(self, console: Console) -> Table:
        """Lay out one line that fits the terminal's width."""
        stats = self._stats
        line = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [f"{100 * stats.share:>3.0f} %"]
        room = console.width - len("100 % ")
        shortest = len(stats.brief(0))
        if room - shortest > BAR_COLUMNS + 1:
            cells.insert(0, ProgressBar(1.0, stats.share, width=BAR_COLUMNS))
            room -= BAR_COLUMNS + 1
        numbers = stats.brief(room - MIN_NAME_COLUMNS - 1)
        cells.append(Text(numbers, no_wrap=True, overflow="crop"))
        room -= len(numbers) + 1
        if room > 0:
            current = self._current
            # Not every terminal has an ellipsis.
            name = Text(current if len(current) <= room else current.rpartition("/")[2], style="dim", no_wrap=True)
            name.truncate(room, overflow="ellipsis" if console.encoding.startswith("utf") else "crop")
            cells.append(name)
        for _ in cells:
            line.add_column(no_wrap=True)
        line.add_row(*cells)
        return line


def make_display(style: str, *, results_on_stdout: bool) -> Display:
    """Create the display for `style`; `auto` is none with results on stdout, rich on a terminal, otherwise plain."""
    if style == "auto":
        style = "none" if results_on_stdout else "rich" if sys.stderr.isatty() else "plain"
    kinds = {"rich": RichDisplay, "plain": PlainDisplay, "none": Display}
    return kinds[style](sys.stderr)
