"""Voice activity detection: run Silero v6 on streaming 16 kHz blocks to find spans of speech."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.quiet import QuietGain
from funasr_cli.audio.silero import FRAME_SAMPLES, SileroModel, SileroWeights
from funasr_cli.audio.spans import Span

FRAMES_PER_RUN = 128
"""About 4 s. Runs of 2 s take a tenth longer, runs of 8 s hardly less; results differ only by rounding."""

HYSTERESIS = 0.15
"""Speech continues until the probability falls this far below the threshold (Silero's own rule)."""


class SpeechDetector:
    """Turns Silero's probabilities into spans: gain for quiet passages, hysteresis, minimum lengths and padding."""

    def __init__(self, weights: SileroWeights, options: VadOptions) -> None:
        self._model = SileroModel(weights, QuietGain().apply)
        self._options = options
        self._release = max(options.threshold - HYSTERESIS, 0.01)
        self._min_speech = round(options.min_speech * SAMPLE_RATE)
        self._min_silence = round(options.min_silence * SAMPLE_RATE)
        self._padding = round(options.padding * SAMPLE_RATE)
        self._run: Samples = np.empty(FRAMES_PER_RUN * FRAME_SAMPLES, np.float32)
        self._pending = 0  # samples already collected for the next run
        self._position = 0  # samples judged so far
        self._begin: int | None = None  # where the current speech began
        self._quiet: int | None = None  # where it may have ended
        self._last_end = 0  # padded end of the last closed span

    @property
    def horizon(self) -> int:
        begin = self._position if self._begin is None else self._begin
        return max(self._last_end, begin - self._padding)

    def push(self, block: Samples) -> list[Span]:
        spans: list[Span] = []
        while len(block):
            taken = block[: len(self._run) - self._pending]
            self._run[self._pending : self._pending + len(taken)] = taken
            self._pending += len(taken)
            block = block[len(taken) :]
            if self._pending == len(self._run):
                spans += self._follow(self._model.probabilities(self._run).tolist())
                self._pending = 0
        return spans + self._open_span()

    def finish(self) -> list[Span]:
        spans: list[Span] = []
        total = self._position + self._pending
        if self._pending:
            frames = -(-self._pending // FRAME_SAMPLES)
            self._run[self._pending :] = 0
            spans = self._follow(self._model.probabilities(self._run[: frames * FRAME_SAMPLES]).tolist())
        if self._begin is not None:
            spans += self._close(total if self._quiet is None else self._quiet)
        return [Span(span.start, min(span.end, total), closed=True) for span in spans]

    def _follow(self, probabilities: Iterable[float]) -> list[Span]:
        """Advance by one frame for each probability and return the spans that closed."""
        closed: list[Span] = []
        for probability in probabilities:
            if probability >= self._options.threshold:
                if self._begin is None:
                    self._begin = self._position
                self._quiet = None
            elif self._begin is not None:
                if self._quiet is None and probability < self._release:
                    self._quiet = self._position
                if self._quiet is not None and self._position + FRAME_SAMPLES - self._quiet >= self._min_silence:
                    closed += self._close(self._quiet)
            self._position += FRAME_SAMPLES
        return closed

    def _close(self, end: int) -> list[Span]:
        start, begin = self._padded_start(), self._begin
        self._begin = self._quiet = None
        if begin is None or end - begin < self._min_speech:
            return []
        self._last_end = end + self._padding
        return [Span(start, self._last_end, closed=True)]

    def _open_span(self) -> list[Span]:
        loud_until = self._position if self._quiet is None else self._quiet
        if self._begin is None or loud_until - self._begin < self._min_speech:
            return []  # may turn out too short to be speech
        # Not beyond where the span ends if the current quiet lasts: a window must not be cut after that.
        end = self._position if self._quiet is None else min(self._position, self._quiet + self._padding)
        return [Span(self._padded_start(), end, closed=False)]

    def _padded_start(self) -> int:
        """Return the padded start of the current speech, but not before the end of the previous span."""
        assert self._begin is not None
        return max(self._last_end, self._begin - self._padding)
