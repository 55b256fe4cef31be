"""Quiet speech: a gain for the voice detector, and what is said of recordings that are too quiet.

Silero's network hears no speech whose peak is below −55 dBFS, while a recogniser still understands it. So the detector,
and nobody else, hears quiet passages louder: between loud ones too, for what it heard before makes it deaf to what
comes 25 dB below. Steady noise is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

import numpy as np
from numpy.typing import NDArray

from funasr_cli.audio.silero import BINS, FFT, SPECTRA

LOUD_ENOUGH = 10 ** (-34 / 20)
"""Level to which quiet passages are raised, and from which on a passage is left as it is: that of speech with a peak of
−22 dBFS. Speech with a peak of −30 dBFS would do by itself, but hardly beside what is loud."""

MAX_GAIN = 10 ** (40 / 20)
"""For speech with a peak of −70 dBFS. What is much quieter is lost in the steps of 16 bits."""

MAX_NOISE = 10 ** (-60 / 20)
"""The quiet part of a run, or of the one before if it is quieter, is not made louder than this."""

MIN_CONTRAST = 10 ** (4 / 20)
"""Of the level of a passage to that of the quiet part of its run. Steady noise has less and stays as it is: raised, it
would be a change of scene to the network."""

CONTRAST_POWER = 4
"""From there on a gain comes in at 4 dB for each dB of contrast; speech has 20 dB."""

PASSAGE_FRAMES = 16
"""Half a second, and its neighbours count too: the end of a loud word is no quiet speech."""

LOUD_FRAMES = 3
"""So many frames of a passage must be loud; those of a click are fewer."""

QUIET_SHARE = 16
"""One frame of so many is quieter than what counts as the quiet part of a run."""

SILENT_PEAK = 2 / 32768
"""Peak up to which a recording is silent: dither of 16 bits."""

LOW_PEAK = 10 ** (-65 / 20)
"""Peak below which a recogniser understands only part of what is said: of 16 bits five are left."""

Levels = NDArray[np.float32]

BAND_WEIGHTS = np.zeros((SPECTRA, BINS), np.float32)
BAND_WEIGHTS[:, 4:64] = 2 / (FFT * 3 / 8 * FFT) / SPECTRA
"""Weights of the bins of a frame's power spectra after a Hann window, with which their sum is the mean square from
250 Hz to 4 kHz, full scale 1.

There is speech, and little of hum and rumble.
"""


class QuietGain:
    """Makes quiet passages louder in the spectra of one stream, run by run."""

    def __init__(self) -> None:
        self._before = 0.0  # level of the passage before the run
        self._quiet = np.inf  # level of the quiet part of the run before

    def apply(self, power: Levels) -> None:
        """Amplify the power spectra of a run, `[frames, spectra, bins]`, in place."""
        gains = self.gains(np.sqrt(power.reshape(len(power), -1) @ BAND_WEIGHTS.reshape(-1)))
        if gains is not None:
            power *= np.square(gains)[:, np.newaxis, np.newaxis]

    def gains(self, levels: Levels) -> Levels | None:
        """The gain, at least 1, of each frame of a run, given their levels (RMS within the band); None: 1 for all."""
        frames, missing = len(levels), -len(levels) % PASSAGE_FRAMES
        padded = np.pad(levels, (0, missing), mode="edge") if missing else levels
        loud = np.partition(padded.reshape(-1, PASSAGE_FRAMES), -LOUD_FRAMES, axis=1)[:, -LOUD_FRAMES].tolist()
        quiet = float(np.partition(levels, frames // QUIET_SHARE)[frames // QUIET_SHARE])
        floor = max(min(quiet, self._quiet), MAX_NOISE / MAX_GAIN)
        # A few numbers: Python's own are quicker than arrays.
        gains = [_gain(max(three), floor) for three in zip([self._before, *loud], loud, [*loud[1:], 0.0], strict=False)]
        self._before, self._quiet = loud[-1], quiet
        if max(gains) == 1:
            return None
        # A click in a quiet passage, and a loud word that begins at its end, are not to be louder than what is loud.
        highest = LOUD_ENOUGH / np.maximum(levels, LOUD_ENOUGH / MAX_GAIN)
        passages = np.repeat(gains, PASSAGE_FRAMES)[:frames]
        return np.asarray(np.maximum(np.minimum(passages, highest), 1), np.float32)


def _gain(level: float, floor: float) -> float:
    """Of a passage with this level, in a run whose quiet part has the level `floor`."""
    if level >= LOUD_ENOUGH:
        return 1.0
    audible = (level / (floor * MIN_CONTRAST)) ** CONTRAST_POWER
    return max(1.0, min(LOUD_ENOUGH / max(level, LOUD_ENOUGH / MAX_GAIN), audible, MAX_NOISE / floor))


def level_warnings(peak: float, speech_seconds: float) -> Iterator[str]:
    """What is to be said of a recording with this peak, full scale 1, in which so much speech was found."""
    level = f"peak {20 * log10(max(peak, 1e-9)):.0f} dBFS".replace("-", "−")
    if peak > SILENT_PEAK and not speech_seconds:
        yield f"no speech found; {level}: if there is any, --vad off transcribes all of the recording"
    elif SILENT_PEAK < peak < LOW_PEAK:
        yield f"very quiet, {level}: words may be wrong or missing; record at a higher level"
