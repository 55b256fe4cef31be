"""Progress of a recording: how much has been read, and how much has been recognised."""

from __future__ import annotations

from collections.abc import Iterator

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.recording import Recording
from funasr_cli.audio.windows import SpeechWindows, Window
from funasr_cli.callbacks import OnProgress


class RecordingProgress:
    """Calls `on_progress` after each block that was read and each window that was recognised."""

    def __init__(self, recording: Recording, on_progress: OnProgress) -> None:
        self._recording = recording
        self._on_progress = on_progress
        self._read = 0
        self._recognized = 0
        self._windows: SpeechWindows | None = None
        self._under_way: list[Window] = []

    def blocks(self) -> Iterator[Samples]:
        """Yield the blocks of the recording and count them."""
        for block in self._recording.blocks():
            self._read += len(block)
            self._tell()
            yield block

    def windows(self, windows: SpeechWindows) -> Iterator[Window]:
        """Yield the windows and mark each as under way."""
        self._windows = windows
        for window in windows:
            self._under_way.append(window)
            yield window
        self._tell()  # everything after the last window is silence

    def done(self, window: Window) -> None:
        """Mark a window as recognised."""
        self._under_way = [other for other in self._under_way if other is not window]
        self._tell()

    def _tell(self) -> None:
        """Report progress: everything before the first unfinished window has been recognised or contains no speech."""
        waiting = [window.bounds.start for window in self._under_way]
        if self._windows is not None:
            waiting.append(self._windows.settled)
        self._recognized = max(self._recognized, min(waiting, default=0))  # windows may overlap
        self._on_progress(self._read / SAMPLE_RATE, self._recognized / SAMPLE_RATE, self._recording.duration)
