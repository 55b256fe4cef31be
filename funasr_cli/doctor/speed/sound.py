"""The sound to measure with: speech-like noise or the start of a recording; and the cost of the front end for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.recording import BLOCK_SECONDS
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, WindowShape
from funasr_cli.errors import InputError
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pipeline.registry import load_executor, load_recognizer
from funasr_cli.recognizers.base import Request

T = TypeVar("T")

SYNTHETIC_SECONDS = 60
"""Seconds of synthetic sound: whole windows of every model family, and enough to time the voice detector."""

READ_SECONDS = 300
"""Seconds of a recording that are read."""

MAX_SOUNDS = 8
"""Maximum number of windows of a recording that are run; the longest are chosen."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """The CPU seconds that a worker needs per second of audio (`cost`), and the windows it produced.

    `cost` covers reading, voice detection, features and decoding. `sounds` are windows, float32 at 16 kHz, to be run
    in `language`.
    """

    cost: float
    sounds: tuple[Samples, ...]
    language: str | None


def measure_front_end(model: Model, placement: Placement, recording: Path | None) -> Generator[FrontEnd, None, None]:
    """Measure the front end; the model is loaded too, to time decoding. Yields once, for `MeasuringProcess`.

    Raises `InputError` if there is no speech at the start of the recording, and the errors of reading and loading.
    """
    executor, graph = load_executor(model, placement, lambda _: None)
    with closing(executor), _blocks(recording) as blocks:
        recognizer = load_recognizer(model, graph)
        windows = SpeechWindows(blocks, SpeechDetector(load_silero(), VadOptions()), WindowShape(recognizer.window))
        found, listening = _timed(lambda: [window.samples for window in windows])
        if recording is None:  # use all of it, whatever the detector found
            found = _cut(like_speech(SYNTHETIC_SECONDS), round(recognizer.window * SAMPLE_RATE))
        elif not found:
            raise InputError(f"no speech in its first {READ_SECONDS} s", where=recording)
        sounds = sorted(found, key=len, reverse=True)[:MAX_SOUNDS]
        outputs = executor.run(recognizer.prepare(sounds[0], Request()))
        hypothesis = recognizer.decode(outputs, Request())  # the first call loads what later ones reuse
        _, preparing = _timed(lambda: [recognizer.prepare(samples, Request()) for samples in sounds])
        _, decoding = _timed(lambda: recognizer.decode(outputs, Request()))
    cost = listening / windows.duration + preparing / _seconds(sounds) + decoding / _seconds(sounds[:1])
    yield FrontEnd(cost, tuple(sounds), hypothesis.language)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return the result of `work`, and the CPU seconds that this process spent on it."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def _seconds(sounds: Sequence[Samples]) -> float:
    return sum(map(len, sounds)) / SAMPLE_RATE


def like_speech(seconds: int) -> Samples:
    """Synthesise four syllables per second of a rising and falling voice, with noise: deterministic, float32."""
    moments = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.5 * moments)) / SAMPLE_RATE
    voice = np.sum([np.sin(overtone * pitch) / overtone for overtone in range(1, 30)], axis=0)
    noise = np.random.default_rng(1).standard_normal(len(moments))
    syllables = np.sin(2 * np.pi * 2 * moments) ** 2
    sound: Samples = ((0.2 * voice + 0.02 * noise) * syllables).astype(np.float32)
    return sound


@contextmanager
def _blocks(recording: Path | None) -> Iterator[Iterator[Samples]]:
    if recording is None:
        yield iter(_cut(like_speech(SYNTHETIC_SECONDS), round(BLOCK_SECONDS * SAMPLE_RATE)))
        return
    with open_recording(recording) as opened:
        yield islice(opened.blocks(), round(READ_SECONDS / BLOCK_SECONDS))


def _cut(sound: Samples, size: int) -> list[Samples]:
    """Cut `sound` into pieces of `size` samples, dropping the rest."""
    return [sound[at : at + size] for at in range(0, len(sound) - size + 1, size)]
