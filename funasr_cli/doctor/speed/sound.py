"""What is run: sound like speech, or the beginning of a recording; and what the front end takes for it."""

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
"""Seconds of sound like speech: whole windows of every family, and enough to time the voice detector by."""

READ_SECONDS = 300
"""Seconds that are read of a recording."""

MAX_SOUNDS = 8
"""Windows of a recording that are run, the longest ones."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """What a worker takes for a second of audio, in CPU seconds, and the windows that came of it.

    `cost` is for reading, voice detection, features and decoding. `sounds` are float32 at 16 kHz, each a window that is
    to be run in `language`.
    """

    cost: float
    sounds: tuple[Samples, ...]
    language: str | None


def measure_front_end(model: Model, placement: Placement, recording: Path | None) -> Generator[FrontEnd, None, None]:
    """Measure it, with the model loaded to decode what it says of a window. Yields once, as a process that measures.

    Raises `InputError` if there is no speech in the beginning of the recording, and as reading and loading do.
    """
    executor, graph = load_executor(model, placement, lambda _: None)
    with closing(executor), _blocks(recording) as blocks:
        recognizer = load_recognizer(model, graph)
        windows = SpeechWindows(blocks, SpeechDetector(load_silero(), VadOptions()), WindowShape(recognizer.window))
        found, listening = _timed(lambda: [window.samples for window in windows])
        if recording is None:  # what the detector makes of it does not matter
            found = _cut(like_speech(SYNTHETIC_SECONDS), round(recognizer.window * SAMPLE_RATE))
        elif not found:
            raise InputError(f"no speech in its first {READ_SECONDS} s", where=recording)
        sounds = sorted(found, key=len, reverse=True)[:MAX_SOUNDS]
        outputs = executor.run(recognizer.prepare(sounds[0], Request()))
        hypothesis = recognizer.decode(outputs, Request())  # the first one loads what later ones have
        _, preparing = _timed(lambda: [recognizer.prepare(samples, Request()) for samples in sounds])
        _, decoding = _timed(lambda: recognizer.decode(outputs, Request()))
    cost = listening / windows.duration + preparing / _seconds(sounds) + decoding / _seconds(sounds[:1])
    yield FrontEnd(cost, tuple(sounds), hypothesis.language)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What comes of it, and the CPU seconds of this process that it took."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def _seconds(sounds: Sequence[Samples]) -> float:
    return sum(map(len, sounds)) / SAMPLE_RATE


def like_speech(seconds: int) -> Samples:
    """Four syllables a second of a voice that rises and falls, and noise: the same at every call, float32."""
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
    """Whole pieces of so many samples."""
    return [sound[at : at + size] for at in range(0, len(sound) - size + 1, size)]
