"""How a run is shown while it goes on: a live display on a terminal, lines in a log, or nothing. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TextIO

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

Style = Literal["auto", "rich", "plain", "none"]

PLAIN_INTERVAL = 30.0
"""Seconds between two lines in a log."""

BAR = 12
"""Characters of the live bar."""

NAME = 12
"""Characters that the name of the file under way has at least, before numbers that can be done without."""


@dataclass(slots=True)
class Tally:
    """What a run has done so far. Audio and time in seconds, work in bytes of input.

    `audio` and `work` are of the files done; `open_audio` and `open_work` of those under way, as far as they were read.
    `busy` is how long the devices have run, all `devices` together; `ran_on` counts files by what they were run on.
    `failed_before` are those of the `failed` that failed in an earlier run too, and have not changed since. The run
    `started` before it `opened` its first file: it looked for them, waited for its turn and loaded a model.
    """

    total_files: int = 0
    done: int = 0
    empty: int = 0
    failed: int = 0
    failed_before: int = 0
    skipped: int = 0
    left: int = 0
    audio: float = 0.0
    speech: float = 0.0
    work: float = 0.0
    total_work: float = 0.0
    open_audio: float = 0.0
    open_work: float = 0.0
    busy: float = 0.0
    devices: int = 1
    ran_on: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    opened: float = field(default_factory=time.monotonic)

    @property
    def files(self) -> int:
        """Files that the run is through with."""
        return self.done + self.empty + self.failed

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def speed(self) -> float:
        """Audio time done per time taken."""
        return (self.audio + self.open_audio) / max(self.elapsed, 1e-9)

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return min(1.0, (self.work + self.open_work) / self.total_work) if self.total_work else 0.0

    @property
    def use(self) -> float:
        """How much of the time the devices have run, 0 to 1."""
        return min(1.0, self.busy / max(self.elapsed * self.devices, 1e-9))

    def __str__(self) -> str:
        notes = ((self.skipped, "done before"), (self.left, "left for next time"))
        more = [f"{number} {what}" for number, what in notes if number]
        return ", ".join([f"{self.files} of {self.total_files} files", *self._progress(), *self._failures(), *more])

    def brief(self, width: int) -> str:
        """As much of it as `width` characters hold, and about how long the rest takes."""
        done = self.work + self.open_work
        pace = (time.monotonic() - self.opened) / done if done else 0.0
        left = [f"{audio_time(pace * (self.total_work - done))} left"] if done else []
        kept = [f"{self.files}/{self.total_files} files", *self._failures(), *left]
        progress = self._progress()
        while progress and len(", ".join(kept + progress)) > width:
            progress.pop()
        kept[1:1] = progress
        return ", ".join(kept)

    def _progress(self) -> list[str]:
        """How much audio is done, how fast, and with how busy devices; nothing while there is none."""
        done, work = self.audio + self.open_audio, self.work + self.open_work
        if not done:
            return []
        total = done * self.total_work / work if work else done  # about
        of = f"of {audio_time(total)} audio" if total - done >= 1 else "of audio"
        return [f"{audio_time(done)} {of}", f"{self.speed:.1f}x", f"device {self.use:.0%}"]

    def _failures(self) -> list[str]:
        again = f" ({self.failed_before} as before)" if self.failed_before else ""
        return [f"{self.failed} failed{again}"] if self.failed else []

    def summary(self) -> dict[str, object]:
        """The totals, for programs."""
        return {
            "done": self.done,
            "empty": self.empty,
            "failed": self.failed,
            "failed_before": self.failed_before,
            "skipped": self.skipped,
            "left": self.left,
            "audio_seconds": round(self.audio, 3),
            "speech_seconds": round(self.speech, 3),
            "seconds": round(self.elapsed, 3),
            "ran_on": dict(self.ran_on),
        }


class Display:
    """Shows nothing but what must be said: errors and warnings. The base of the other displays."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def start(self, tally: Tally) -> None:
        """The run begins with everything that `tally` totals."""

    def update(self, tally: Tally, current: str) -> None:
        """`tally` changed, or another file is under way."""

    def note(self, text: str) -> None:
        """Something worth knowing, for those who watch."""

    def warn(self, text: str) -> None:
        """Something that must be known."""
        self._print(text)

    def _print(self, text: str) -> None:
        with suppress(OSError):  # a log that is full or gone must not cost a recording; the manifest has it all
            print(text, file=self.stream, flush=True)

    def close(self, tally: Tally) -> None:
        """The run is over."""


class PlainDisplay(Display):
    """Lines for a log, at most one in `PLAIN_INTERVAL` seconds."""

    _last = 0.0

    def start(self, tally: Tally) -> None:
        self._last = time.monotonic()

    def update(self, tally: Tally, current: str) -> None:
        if time.monotonic() - self._last >= PLAIN_INTERVAL:
            self._last = time.monotonic()
            meter = tqdm.format_meter(
                round(100 * tally.share), 100, tally.elapsed, bar_format="{percentage:.0f} % [{elapsed}<{remaining}]"
            )
            self.note(f"{meter} {tally} ({current})")

    def note(self, text: str) -> None:
        self._print(text)

    def close(self, tally: Tally) -> None:
        self.note(f"{tally} in {audio_time(tally.elapsed)}")


class RichDisplay(Display):
    """A live line with the file under way; notes and warnings scroll above it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = Console(file=stream)
        self._bar = Progress(LiveLine(self._console), console=self._console, transient=True, expand=True)
        self._task: TaskID | None = None

    def start(self, tally: Tally) -> None:
        self._task = self._bar.add_task("", total=tally.total_work, tally=tally, current="")
        self._bar.start()

    def update(self, tally: Tally, current: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=tally.work + tally.open_work, tally=tally, current=current)

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self._console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def close(self, tally: Tally) -> None:
        self._bar.stop()
        self.note(f"{tally} in {audio_time(tally.elapsed)}")


class LiveLine(ProgressColumn):
    """Percentage and numbers, and as the terminal is wider: a bar, the file under way, audio, speed and devices."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def render(self, task: Task) -> Table:
        """One line that the terminal does not break."""
        tally, current = task.fields["tally"], task.fields["current"]
        line = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [f"{task.percentage:>3.0f} %"]
        room = self._console.width - len("100 % ")
        shortest = len(tally.brief(0))
        if room - shortest > BAR + 1:
            cells.insert(0, ProgressBar(task.total, task.completed, width=BAR))
            room -= BAR + 1
        numbers = tally.brief(room - NAME - 1)
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


def make_display(style: Style, *, results_on_stdout: bool) -> Display:
    """The display asked for; `auto` is silent beside results on stdout, live on a terminal, plain elsewhere."""
    if style == "auto":
        style = "none" if results_on_stdout else "rich" if sys.stderr.isatty() else "plain"
    kinds = {"rich": RichDisplay, "plain": PlainDisplay, "none": Display}
    return kinds[style](sys.stderr)


def audio_time(seconds: float) -> str:
    """`h:mm:ss`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
