"""Quiet speech: a gain for the voice detector, and warnings about recordings that are too quiet.

Silero's network does not detect speech whose peak is below −55 dBFS, although a recogniser still understands it. So
quiet passages are amplified, for the detector only. This includes those between loud passages, because after loud
sound the network misses speech that is 25 dB quieter. Steady noise is not amplified.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

import numpy as np
from numpy.typing import NDArray

from funasr_cli.audio.silero import BINS, FFT, SPECTRA

LOUD_ENOUGH = 10 ** (-34 / 20)
"""Level to which quiet passages are raised; louder ones are left alone. It is that of speech with a peak of −22 dBFS.
Speech with a peak of −30 dBFS would be detected on its own, but hardly next to something loud."""

MAX_GAIN = 10 ** (40 / 20)
"""Enough for speech with a peak of −70 dBFS. Much quieter speech is lost in 16-bit quantisation."""

MAX_NOISE = 10 ** (-60 / 20)
"""The quiet part of a run, or of the previous run if that is quieter, is not raised above this."""

MIN_CONTRAST = 10 ** (4 / 20)
"""Minimum ratio of a passage's level to that of the quiet part of its run. Steady noise has a smaller one and is not
raised: the network would take raised noise for a change of scene."""

CONTRAST_POWER = 4
"""Beyond `MIN_CONTRAST` the gain grows by 4 dB for each dB of contrast; speech has 20 dB of contrast."""

PASSAGE_FRAMES = 16
"""Half a second. Neighbouring passages count too, because the end of a loud word is not quiet speech."""

LOUD_FRAMES = 3
"""A passage is as loud as this many of its frames; a click has fewer."""

QUIET_SHARE = 16
"""One frame in this many is quieter than the level that counts as the quiet part of a run."""

SILENT_PEAK = 2 / 32768
"""Peak up to which a recording is silent: 16-bit dither."""

LOW_PEAK = 10 ** (-65 / 20)
"""Peak below which a recogniser understands only part of the speech: five of 16 bits are left."""

Levels = NDArray[np.float32]

BAND_WEIGHTS = np.zeros((SPECTRA, BINS), np.float32)
BAND_WEIGHTS[:, 4:64] = 2 / (FFT * 3 / 8 * FFT) / SPECTRA
"""Weights for the bins of a frame's power spectra after a Hann window. The weighted sum is the mean square from 250 Hz
to 4 kHz, full scale 1, a band with speech but little hum and rumble.
"""


class QuietGain:
    """Amplifies quiet passages in the spectra of one stream, run by run."""

    def __init__(self) -> None:
        self._before = 0.0  # level of the last passage before the run
        self._quiet = np.inf  # level of the quiet part of the previous run

    def apply(self, power: Levels) -> None:
        """Amplify the power spectra of a run, `[frames, spectra, bins]`, in place."""
        gains = self.gains(np.sqrt(power.reshape(len(power), -1) @ BAND_WEIGHTS.reshape(-1)))
        if gains is not None:
            power *= np.square(gains)[:, np.newaxis, np.newaxis]

    def gains(self, levels: Levels) -> Levels | None:
        """Return the gain (at least 1) of each frame of a run, given their RMS levels in the band; None: 1 for all."""
        frames, missing = len(levels), -len(levels) % PASSAGE_FRAMES
        padded = np.pad(levels, (0, missing), mode="edge") if missing else levels
        loud = np.partition(padded.reshape(-1, PASSAGE_FRAMES), -LOUD_FRAMES, axis=1)[:, -LOUD_FRAMES].tolist()
        quiet = float(np.partition(levels, frames // QUIET_SHARE)[frames // QUIET_SHARE])
        floor = max(min(quiet, self._quiet), MAX_NOISE / MAX_GAIN)
        # For so few numbers Python's own are faster than arrays.
        gains = [_gain(max(three), floor) for three in zip([self._before, *loud], loud, [*loud[1:], 0.0], strict=False)]
        self._before, self._quiet = loud[-1], quiet
        if max(gains) == 1:
            return None
        # A click in a quiet passage, or a loud word that begins at its end, must not exceed the level of loud speech.
        highest = LOUD_ENOUGH / np.maximum(levels, LOUD_ENOUGH / MAX_GAIN)
        passages = np.repeat(gains, PASSAGE_FRAMES)[:frames]
        return np.asarray(np.maximum(np.minimum(passages, highest), 1), np.float32)


def _gain(level: float, floor: float) -> float:
    """Return the gain of a passage at this level, in a run whose quiet part has the level `floor`."""
    if level >= LOUD_ENOUGH:
        return 1.0
    audible = (level / (floor * MIN_CONTRAST)) ** CONTRAST_POWER
    return max(1.0, min(LOUD_ENOUGH / max(level, LOUD_ENOUGH / MAX_GAIN), audible, MAX_NOISE / floor))


def level_warnings(peak: float, speech_seconds: float) -> Iterator[str]:
    """Yield warnings about a recording with this peak (full scale 1) and this much detected speech."""
    level = f"peak {20 * log10(max(peak, 1e-9)):.0f} dBFS".replace("-", "−")
    if peak > SILENT_PEAK and not speech_seconds:
        yield f"no speech found ({level}); if there is speech, use --vad off to transcribe everything"
    elif SILENT_PEAK < peak < LOW_PEAK:
        yield f"very quiet ({level}): words may be wrong or missing; record at a higher level"
