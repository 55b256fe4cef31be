"""An open recording as a stream of 16 kHz mono blocks, whichever library reads it.

Nothing holds more than a few blocks, so a recording of any length costs the same memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.alike import ChannelComparison
from funasr_cli.audio.extents import Extent
from funasr_cli.audio.mixing import Place, mean_of, mixed, mixing_warnings
from funasr_cli.audio.resample import Resampler

BLOCK_SECONDS = 1.0

MISSING_SECONDS = 1.0
"""A recording that ends more than this before the length its header promises is called cut off."""


class Recording(ABC):
    """An open recording. Use it as a context manager and read `blocks()` once.

    `channels` is how many there are; `channel` is the one that is read, counted from 1, or None: the mean of all, or of
    those that do not cancel others.
    `duration` is about how long it is, in seconds, to show progress, or None if nobody knows. `promised` is the length
    if the header states it exactly; `promised_share` is the share of the sound that it speaks of, if there is more;
    `is_cut_off` says that it speaks of more than there is, and `has_known_end` that nothing that follows can be sound.
    `gain` is what brings full scale of what `_native` gives to ±1.
    `warnings` grows while reading, with one sentence for each thing that was wrong with audio that could still be used.
    """

    duration: float | None = None
    promised: float | None = None
    promised_share: float | None = None
    is_cut_off = False
    has_known_end = False
    gain = 1.0

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
        self.warnings += mixing_warnings(self._turned_down)
        self.finish(total / SAMPLE_RATE)

    def finish(self, seconds: float) -> None:
        """Add the warnings about a recording that has ended after these `seconds`."""
        if self.promised_share is not None:
            promised = seconds * self.promised_share
            self.warnings.append(
                f"the header promises {promised:.1f} s, but the file holds {seconds:.1f} s, and all was read"
            )
        if self.is_cut_off:
            self.warnings.append(f"cut off: the file is shorter than its header says, and ends after {seconds:.1f} s")
        elif self.promised is not None and seconds < self.promised - MISSING_SECONDS:
            self.warnings.append(self._shortfall(seconds, self.promised))
        if not self.has_known_end and (unread := self._unread_bytes()):
            self.warnings.append(
                f"{unread} bytes after {seconds:.1f} s were not read; if they are sound, convert the file to WAV"
            )

    def following(self) -> Iterable[Extent]:
        """Other recordings that may follow in the file, as it shows after the last block."""
        return ()

    def _shortfall(self, seconds: float, promised: float) -> str:
        """What to say of a recording that has fewer seconds than its header promises."""
        return f"cut off: ends after {seconds:.1f} s, its header promises {promised:.1f} s"

    def _unread_bytes(self) -> int:
        """How many bytes of sound, as it seems, are left after the last one that was read."""
        return 0

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
