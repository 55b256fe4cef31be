"""How far a recording is: how much of it was read, and how much was recognised, which comes later."""

from __future__ import annotations

from collections.abc import Iterator

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.recording import Recording
from funasr_cli.audio.windows import SpeechWindows, Window
from funasr_cli.callbacks import OnProgress


class RecordingProgress:
    """Tells `on_progress` after each block that is read, and each window that is done."""

    def __init__(self, recording: Recording, on_progress: OnProgress) -> None:
        self._recording = recording
        self._on_progress = on_progress
        self._read = 0
        self._recognized = 0
        self._windows: SpeechWindows | None = None
        self._under_way: list[Window] = []

    def blocks(self) -> Iterator[Samples]:
        """The recording's blocks, counted."""
        for block in self._recording.blocks():
            self._read += len(block)
            self._tell()
            yield block

    def windows(self, windows: SpeechWindows) -> Iterator[Window]:
        """The same windows, each under way from here on."""
        self._windows = windows
        for window in windows:
            self._under_way.append(window)
            yield window
        self._tell()  # what follows the last window is silence

    def done(self, window: Window) -> None:
        """It was recognised."""
        self._under_way = [other for other in self._under_way if other is not window]
        self._tell()

    def _tell(self) -> None:
        """All before the first window that is not done was recognised, or holds no speech."""
        waiting = [window.bounds.start for window in self._under_way]
        if self._windows is not None:
            waiting.append(self._windows.settled)
        self._recognized = max(self._recognized, min(waiting, default=0))  # windows may overlap
        self._on_progress(self._read / SAMPLE_RATE, self._recognized / SAMPLE_RATE, self._recording.duration)
