"""The totals of a run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from funasr_cli.json_paths import by_path_fields


@dataclass(slots=True)
class RunStats:
    """The totals of a run so far. Audio and time are in seconds, work in bytes of input.

    `audio` and `work` are of finished files; `open_audio` and `open_work` are of files in progress, as far as they are
    recognised. `busy` is the running time of all `devices` together; `ran_on` counts files by the device they ran on.
    `failed_before` counts the files among `failed` that also failed in an earlier run and have not changed since.
    `rendered` counts files whose outputs were written from kept recognitions.
    `passed_over` counts files in folders that were skipped because of their extension, by extension. Between `started`
    and `opened`, the run looks for files, waits for its turn and loads a model.
    """

    total_files: int = 0
    done: int = 0
    empty: int = 0
    failed: int = 0
    failed_before: int = 0
    rendered: int = 0
    skipped: int = 0
    left: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)
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
        """The number of files that the run has finished."""
        return self.done + self.empty + self.failed

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def speed(self) -> float:
        """Seconds of audio per second of the run."""
        return (self.audio + self.open_audio) / max(self.elapsed, 1e-9)

    @property
    def share(self) -> float:
        """The share of the work that is done, from 0 to 1."""
        return min(1.0, (self.work + self.open_work) / self.total_work) if self.total_work else 0.0

    @property
    def time_left(self) -> float | None:
        """The estimated seconds left at the speed so far; None until something is recognised."""
        done = self.work + self.open_work
        if not done:
            return None
        return (time.monotonic() - self.opened) / done * max(0.0, self.total_work - done)

    @property
    def use(self) -> float:
        """The share of the time in which the devices were busy, from 0 to 1."""
        return min(1.0, self.busy / max(self.elapsed * self.devices, 1e-9))

    def __str__(self) -> str:
        notes = (
            (self.rendered, "written from kept transcripts"),
            (self.skipped, "already done"),
            (self.left, "left for next time"),
        )
        more = [f"{number} {what}" for number, what in notes if number]
        return ", ".join([f"{self.files} of {self.total_files} files", *self._progress(), *self._failures(), *more])

    def brief(self, width: int) -> str:
        """As much of the summary as fits into `width` characters, and the estimated time left."""
        left = [] if self.time_left is None else [f"{audio_time(self.time_left)} left"]
        kept = [f"{self.files}/{self.total_files} files", *self._failures(), *left]
        progress = self._progress()
        while progress and len(", ".join(kept + progress)) > width:
            progress.pop()
        kept[1:1] = progress
        return ", ".join(kept)

    def _progress(self) -> list[str]:
        """Audio done, speed, and how busy the devices are; empty until there is any."""
        done, work = self.audio + self.open_audio, self.work + self.open_work
        if not done:
            return []
        total = done * self.total_work / work if work else done  # about
        of = f"of {audio_time(total)} audio" if total - done >= 1 else "of audio"
        return [f"{audio_time(done)} {of}", f"{self.speed:.1f}x", f"device {self.use:.0%}"]

    def _failures(self) -> list[str]:
        again = f" ({self.failed_before} again)" if self.failed_before else ""
        return [f"{self.failed} failed{again}"] if self.failed else []

    def summary(self) -> dict[str, object]:
        """The totals as fields of `--json-summary`."""
        return {
            "done": self.done,
            "empty": self.empty,
            "failed": self.failed,
            "failed_before": self.failed_before,
            "rendered": self.rendered,
            "skipped": self.skipped,
            "left": self.left,
            **by_path_fields("passed_over", self.passed_over),
            "audio_seconds": round(self.audio, 3),
            "speech_seconds": round(self.speech, 3),
            "seconds": round(self.elapsed, 3),
            "ran_on": dict(self.ran_on),
        }


def audio_time(seconds: float) -> str:
    """Format seconds as `h:mm:ss`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
