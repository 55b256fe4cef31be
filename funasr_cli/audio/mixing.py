"""Mix the channels of a recording to their mean; where they cancel each other, favour the better ones.

A cable with two wires swapped, or balanced sound on the two sides of a stereo plug, inverts a channel, and the mean is
silence. So the power of the mean is compared with that of the channels, step by step. For unrelated sounds, or one
sound beside silence, the power of the mean is the sum of the powers divided by the square of the number of channels;
sound that the channels share adds to it. The power falls far below that only if the channels cancel each other.

In such places the inverted channels are turned down, not off, so that words in only one of them are not lost.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Samples
from funasr_cli.audio.phase import SILENCE, Grams, PhaseMeter, inverted

EVIDENCE: tuple[tuple[int, float], ...] = ((40, 0.25), (20, 0.05))
"""Numbers of steps, each with the largest share of the power that the mean keeps if the channels cancel each other.

Two microphones a hand apart keep 0.35 over 2 s if a voice happens to reach them with opposite phases. An inverted
channel at half the level of the other, or with noise 6 dB below the voice, leaves 0.2. A clean inverted copy leaves
almost nothing, so one second is enough evidence. The mean of wide stereo music may be silent between two notes, but
not for that long.
"""

LAST_STEPS = 10
"""At the end of a recording, evidence is taken from the steps that are left, but from no fewer than this."""

HOLD_STEPS = 40
"""The weights stay for this long after the last evidence, because pauses in speech give none."""

LEAK = 0.2
"""Weight of an inverted channel relative to the others: sound in it alone becomes 14 dB quieter than theirs."""

FADE_SECONDS = 0.01
"""Duration of the fade between two sets of weights, which avoids clicks."""

MAX_PLACES = 5
"""Number of places that a warning lists."""

Place: TypeAlias = tuple[float, float, tuple[int, ...]]
"""Start and end in seconds, and the channels (numbered from 1) that are turned down there."""


def mixed(blocks: Iterable[tuple[int, Samples]], turned_down: list[Place]) -> Iterator[tuple[int, Samples]]:
    """Yield the mean, float32 `[n]`, of each of the `blocks` `[n, channels]`, with its sample rate.

    The means come some seconds later than the blocks. Places where channels are turned down are added to `turned_down`.
    """
    samples_by_rate = Counter[int]()
    for (rate, channels), alike in groupby(blocks, key=lambda pair: (pair[0], pair[1].shape[1])):
        begin = sum(samples / rate for rate, samples in samples_by_rate.items())
        mixer = Mixer(rate, channels)
        for _, block in alike:
            samples_by_rate[rate] += len(block)
            for mean in mixer.push(block) if channels > 1 else [block[:, 0]]:
                yield rate, mean
        for mean in mixer.finish():
            yield rate, mean
        end = sum(samples / rate for rate, samples in samples_by_rate.items()) - begin
        for (start, which), (after, _) in pairwise([*mixer.changes, (end, ())]):
            if which:
                turned_down.append((begin + start, begin + after, which))


class Mixer:
    """Takes blocks of several channels and returns the mean of each, some seconds later.

    `changes` lists the times in seconds at which the set of turned-down channels (numbered from 1) changes, with the
    new set.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._meter = PhaseMeter(rate, channels)
        self._grams: Grams = np.empty((0, channels, channels))  # of the undecided steps
        self._decided = 0  # steps
        self._hold = 0  # remaining steps to hold; 0: nothing is turned down
        self._blocks: deque[tuple[Samples, Samples]] = deque()  # with means, made while blocks are in the caches
        self._position = 0  # of the first block
        self._weights = self._plain = _weights(channels, ())
        self._fades: deque[tuple[int, Samples]] = deque()  # first sample with new weights
        self.changes: list[tuple[float, tuple[int, ...]]] = []

    def push(self, block: Samples) -> Iterable[Samples]:
        """Add a block, `[n, channels]`, and return the means that are decided now."""
        self._blocks.append((block, block @ self._plain))
        grams = self._meter.push(block)
        if grams is None:
            return ()
        self._grams = np.concatenate([self._grams, grams])
        clear, known = 0 if self._hold else _clear_steps(self._grams), len(self._grams) - EVIDENCE[0][0]
        if clear >= max(known, 1):
            self._settle(clear)
        else:
            self._decide(known)
        return self._mixed(self._decided * self._meter.step)

    def finish(self) -> Iterable[Samples]:
        """Return the remaining means."""
        self._grams = np.concatenate([self._grams, self._meter.finish()])
        self._decide(len(self._grams))
        return self._mixed(None)

    def _decide(self, count: int) -> None:
        """Decide which channels are turned down in the next `count` steps."""
        if count <= 0:
            return
        evidence = _evidence(self._grams)[:count]
        if self._hold or evidence.any():
            for step, length in enumerate(evidence):
                self._follow(step, int(length))
        self._settle(count)

    def _settle(self, count: int) -> None:
        self._grams = self._grams[count:]
        self._decided += count

    def _follow(self, step: int, evidence: int) -> None:
        """Advance by one step, at which `evidence` steps of evidence begin (0: none)."""
        if evidence and not self._hold:
            first = min(step, max(0, len(self._grams) - LAST_STEPS))
            self._change(step, inverted(self._grams[first : step + evidence]))
        elif self._hold == 1 and not evidence:
            self._change(step, ())
        self._hold = HOLD_STEPS if evidence else max(0, self._hold - 1)

    def _change(self, step: int, channels: tuple[int, ...]) -> None:
        at = (self._decided + step) * self._meter.step
        self._fades.append((at, _weights(self._channels, channels)))
        self.changes.append((at / self._rate, tuple(channel + 1 for channel in channels)))

    def _mixed(self, until: int | None) -> Iterator[Samples]:
        """Yield the means of the blocks that end by sample `until`, or of all if it is None."""
        while self._blocks and (until is None or self._position + len(self._blocks[0][0]) <= until):
            block, mean = self._blocks.popleft()
            if self._weights is not self._plain:
                mean = block @ self._weights
            end = self._position + len(block)
            while self._fades and self._fades[0][0] < end:
                at, weights = self._fades[0]
                length = round(FADE_SECONDS * self._rate)
                ramp = np.clip((np.arange(self._position, end) - at) / length, 0, 1).astype(np.float32)
                mean += (block @ weights - mean) * ramp
                if at + length > end:
                    break  # the fade continues in the next block
                self._weights = weights
                self._fades.popleft()
            self._position = end
            yield mean


def mean_of(block: Samples) -> Samples:
    """Return the mean of the channels of a block `[n, channels]`, float32 `[n]`.

    Computed as a product: for two channels NumPy's own mean takes thirty times as long.
    """
    channels = block.shape[1]
    mean: Samples = block[:, 0] if channels == 1 else block @ _weights(channels, ())
    return mean


def _weights(channels: int, turned_down: Sequence[int]) -> Samples:
    """Return the channel weights: those of the mean, or such that sound with opposite signs keeps its level.

    Channels in `turned_down` are numbered from 0.
    """
    weights = np.ones(channels)
    weights[list(turned_down)] = LEAK
    return (weights / (channels - (1 + LEAK) * len(turned_down))).astype(np.float32)


def _clear_steps(grams: Grams) -> int:
    """Count the leading steps at which no evidence can begin, excluding the last `LAST_STEPS`, which may still count.

    In most recordings no evidence begins anywhere, so blocks need not wait.
    """
    left, power = _powers(grams)
    doubtful = left < power
    first = int(doubtful.argmax())
    return min(first if doubtful[first] else len(grams), len(grams) - LAST_STEPS)


def _evidence(grams: Grams) -> NDArray[np.int64]:
    """Return, for each step, how many steps from there on show that the channels cancel each other; 0 if none do."""
    left, power = _powers(grams)
    found = np.zeros(len(grams), np.int64)
    if (left >= EVIDENCE[0][1] * power).all():
        return found  # true of nearly every recording
    for steps, share in reversed(EVIDENCE):
        left_ahead, power_ahead = _sums_ahead(left, steps), _sums_ahead(power, steps)
        found[(left_ahead < share * power_ahead) & (power_ahead > steps * SILENCE)] = steps
    found[left >= power] = 0  # the evidence begins later
    return found


def _powers(grams: Grams) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each step, the power of the sum of the channels and the sum of their powers."""
    return grams.reshape(len(grams), -1).sum(axis=1), np.einsum("sii->s", grams)


def _sums_ahead(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return the sum of `steps` values from each value on; near the end of fewer, but at least `LAST_STEPS`."""
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.minimum(np.arange(count), max(0, count - LAST_STEPS))
    return np.asarray(sums[np.minimum(np.arange(count) + steps, count)] - sums[first])


def mixing_warnings(turned_down: Iterable[Place]) -> Iterator[str]:
    """Yield a warning for each set of channels that were turned down."""
    places: dict[tuple[int, ...], list[str]] = {}
    for start, end, channels in turned_down:
        places.setdefault(channels, []).append(f"{start:.1f}–{end:.1f} s")
    for channels, where in places.items():
        more = f" and {len(where) - MAX_PLACES} more places" if len(where) > MAX_PLACES else ""
        which = f"channel {channels[0]} is" if len(channels) == 1 else f"channels {', '.join(map(str, channels))} are"
        yield (
            f"{which} inverted, so the mean of the channels would cancel the sound: "
            f"the other channels were used ({', '.join(where[:MAX_PLACES])}{more})"
        )
