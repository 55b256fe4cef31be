"""An open recording as a stream of 16 kHz mono blocks, whichever library reads it.

No more than a few blocks are held, so memory does not depend on the length of the recording.
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
"""A recording that ends this much earlier than its header declares is reported as cut off."""


class Recording(ABC):
    """An open recording. Use it as a context manager and read `blocks()` once.

    `channels` is the number of channels; `channel` is the one to read, numbered from 1, or None for the mean of all, or
    of those that do not cancel others.
    `duration` is the approximate length in seconds, for progress displays, or None if unknown. `promised` is the length
    if the header states it exactly; `promised_share` is the share of the sound that the header declares, if there is
    more. `is_cut_off` means that there is less, and `has_known_end` that no sound can follow.
    `gain` scales the output of `_native` to full scale ±1.
    `warnings` grows while reading, by one sentence for each problem in audio that could still be used.
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
        """Yield the audio in blocks of about a second. Raises `InputError` if it cannot be read at all."""
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
            self.warnings.append(f"{bad} samples{where} are NaN or infinite and were replaced by silence")
        if self._uneven:
            self.warnings.append(
                f"the number of channels changes: parts without {self.channels} channels were used as channel 1"
            )
        self.warnings += mixing_warnings(self._turned_down)
        self.finish(total / SAMPLE_RATE)

    def finish(self, seconds: float) -> None:
        """Add warnings about a recording that ended after `seconds`."""
        if self.promised_share is not None:
            promised = seconds * self.promised_share
            self.warnings.append(
                f"the header declares {promised:.1f} s, but the file holds {seconds:.1f} s; all of it was read"
            )
        if self.is_cut_off:
            self.warnings.append(f"cut off: the file is shorter than its header says, and ends after {seconds:.1f} s")
        elif self.promised is not None and seconds < self.promised - MISSING_SECONDS:
            self.warnings.append(self._shortfall(seconds, self.promised))
        if not self.has_known_end and (unread := self._unread_bytes()):
            self.warnings.append(
                f"{unread} bytes after {seconds:.1f} s were not read; if they contain audio, convert the file to WAV"
            )

    def following(self) -> Iterable[Extent]:
        """Return other recordings that may follow in the file; known after the last block."""
        return ()

    def _shortfall(self, seconds: float, promised: float) -> str:
        """Return the warning about a recording that is shorter than its header declares."""
        return f"cut off: ends after {seconds:.1f} s, but the header declares {promised:.1f} s"

    def _unread_bytes(self) -> int:
        """Count the bytes after the last one read that look like sound."""
        return 0

    @property
    def copies(self) -> dict[int, int]:
        """Channels that copy an earlier one, sample for sample or inverted, mapped to that channel.

        Known after the first channel was read to the end; empty before that and for other channels.
        """
        return self._comparison.copies

    @property
    def opposed(self) -> frozenset[tuple[int, int]]:
        """Pairs of channels that are one sound, one of them inverted; known when `copies` is."""
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
        """Yield the selected channel or the mean of each block, float32 `[n]`, with its sample rate."""
        if self.channel is None:
            yield from mixed(self._native(), self._turned_down)
            return
        for rate, block in self._native():
            if block.shape[1] == self.channels:
                if self.channel == 1:
                    self._comparison.push(rate, block)
                yield rate, np.ascontiguousarray(block[:, self.channel - 1])
            else:  # its channel is unknown, but the sound must be transcribed, and only once
                self._uneven = True
                yield rate, mean_of(block) if self.channel == 1 else np.zeros(len(block), np.float32)
        self._comparison.finish()

    @abstractmethod
    def _native(self) -> Iterator[tuple[int, Samples]]:
        """Yield blocks `[n, channels]` at the recording's own sample rate, each with that rate."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
