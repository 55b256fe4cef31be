"""The progress of a recording is what was recognised, however far ahead it was read."""

from __future__ import annotations

from itertools import islice

import pytest

from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.spans import WholeRecording
from funasr_cli.audio.windows import SpeechWindows, WindowShape
from funasr_cli.pipeline.progress import RecordingProgress
from tests.conftest import NANO


def test_windows_that_are_done_count_and_what_was_read_does_not() -> None:
    read = recognized = 0.0

    def on_progress(*at: float | None) -> None:
        nonlocal read, recognized
        read, recognized = at[0] or 0.0, at[1] or 0.0

    with open_recording(NANO / "words-with-pauses.flac") as recording:
        progress = RecordingProgress(recording, on_progress)
        windows = SpeechWindows(progress.blocks(), WholeRecording(), WindowShape(2.0, 0.0))
        under_way = progress.windows(windows)
        first, second, third = islice(under_way, 3)
        assert (read >= 6.0, recognized) == (True, 0.0)
        progress.done(second)
        assert recognized == 0.0
        progress.done(first)
        assert recognized == third.bounds.seconds[0] == 4.0
        for window in under_way:
            progress.done(window)
        assert recognized == 4.0
        progress.done(third)
        assert recognized == read == pytest.approx(windows.duration)
