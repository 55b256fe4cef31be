"""An open recording as a stream of 16 kHz mono blocks, whichever library reads it.

Nothing holds more than a few blocks, so a recording of any length costs the same memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.alike import ChannelComparison
from funasr_cli.audio.mixing import Place, mean_of, mixed, told
from funasr_cli.audio.resample import Resampler

BLOCK_SECONDS = 1.0

MISSING_SECONDS = 1.0
"""A recording that ends more than this before the length its header promises is called cut off."""


class Recording(ABC):
    """An open recording. Use it as a context manager and read `blocks()` once.

    `channels` is how many there are; `channel` is the one that is read, counted from 1, or None: the mean of all, or of
    those that do not cancel others.
    `duration` is what the header promises, in seconds, or None where it does not say; `warnings` grows while reading,
    with one sentence for each thing that was wrong with audio that could still be used.
    """

    duration: float | None = None

    def __init__(self, path: Path, channel: int | None, channels: int) -> None:
        self.path = path
        self.channels = channels
        self.channel = channel if channels > 1 else None
        self.warnings: list[str] = []
        self._turned_down: list[Place] = []
        self._comparison = ChannelComparison(channels if self.channel == 1 else 0)
        self._uneven = False

    def blocks(self) -> Iterator[Samples]:
        """The audio, in blocks of about a second. Raises `InputError` where it cannot be read at all."""
        total = bad = 0
        for block in self._resampled():
            finite = np.isfinite(block)
            if not finite.all():
                bad += int(len(block) - np.count_nonzero(finite))
                block = np.where(finite, block, np.float32(0))
            total += len(block)
            yield block
        if bad:
            where = f" of channel {self.channel}" if self.channel else ""
            self.warnings.append(f"{bad} samples{where} are not numbers (NaN or infinite) and were taken as silence")
        if self._uneven:
            self.warnings.append(f"not {self.channels} channels throughout: where not, all is taken as channel 1")
        seconds = total / SAMPLE_RATE
        self.warnings += told(self._turned_down)
        if self.duration is not None and seconds < self.duration - MISSING_SECONDS:
            self.warnings.append(f"cut off: ends after {seconds:.1f} s, its header promises {self.duration:.1f} s")

    @property
    def copies(self) -> dict[int, int]:
        """The channels that are the same as an earlier one, sample for sample or inverted, and which that is.

        Known when all was read of the first channel; otherwise nothing is known.
        """
        return self._comparison.copies

    @property
    def opposed(self) -> frozenset[tuple[int, int]]:
        """Pairs of channels that are one sound, the one inverted; known when `copies` are."""
        return self._comparison.opposed

    def _resampled(self) -> Iterator[Samples]:
        resampler: Resampler | None = None
        for rate, block in self._mono():
            if resampler is None or resampler.rate != rate:
                if resampler is not None:
                    yield resampler.flush()
                resampler = Resampler(rate)
            yield resampler.push(block)
        if resampler is not None:
            yield resampler.flush()

    def _mono(self) -> Iterator[tuple[int, Samples]]:
        """What is asked for of each block `[n, channels]`: float32 `[n]`, with its sample rate."""
        if self.channel is None:
            yield from mixed(self._native(), self._turned_down)
            return
        for rate, block in self._native():
            if block.shape[1] == self.channels:
                if self.channel == 1:
                    self._comparison.push(rate, block)
                yield rate, np.ascontiguousarray(block[:, self.channel - 1])
            else:  # nobody knows whose it is, but it is not to be lost, nor to come twice
                self._uneven = True
                yield rate, mean_of(block) if self.channel == 1 else np.zeros(len(block), np.float32)
        self._comparison.finish()

    @abstractmethod
    def _native(self) -> Iterator[tuple[int, Samples]]:
        """Blocks `[n, channels]` at the recording's own rate, each with that rate."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
