"""One recording from file to transcript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import onnxruntime

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.decode import Recording, open_recording
from funasr_cli.audio.spans import SpanDetector, WholeRecording
from funasr_cli.audio.vad import SpeechDetector, load_silero
from funasr_cli.audio.windows import SpeechWindows, Window, WindowShape
from funasr_cli.batch.engine import Engine
from funasr_cli.batch.settings import Settings
from funasr_cli.batch.stopwatch import Stopwatch
from funasr_cli.errors import InputError
from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.text.merge import Merger
from funasr_cli.text.paragraphs import paragraphs
from funasr_cli.text.segments import segment
from funasr_cli.text.timing import fit_to_speech
from funasr_cli.transcript import Scene, Transcript

VOTERS = 4
"""How many of the first windows decide a recording's language together: two minutes of speech at 30-s windows."""

Tick = Callable[[float, float | None], None]
"""Called about every second of audio: seconds read, and the recording's length where that is known."""


class Transcriber:
    """Transcribes recordings one after another with one engine and one set of settings."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._silero: onnxruntime.InferenceSession | None = load_silero() if settings.vad else None
        self._shape = WindowShape(engine.recognizer.window, settings.overlap)

    def transcribe(self, path: Path, shown_name: str, tick: Tick, watch: Stopwatch) -> Transcript:
        """The transcript of one file. Raises `InputError` where it holds no audio that can be read."""
        with open_recording(path) as recording:
            return self._transcribe(recording, shown_name, tick, watch)

    def _transcribe(self, recording: Recording, shown_name: str, tick: Tick, watch: Stopwatch) -> Transcript:
        windows = SpeechWindows(_told(recording, tick), self._detector(), self._shape)
        merger, warnings, languages, scenes = Merger(), recording.warnings, Counter[str](), list[Scene]()
        for window, hypothesis in self._recognized(watch.each("listen", windows), watch):
            start, end = window.bounds.seconds
            tokens = fit_to_speech(
                (token.shifted(start) for token in hypothesis.tokens), [part.seconds for part in window.speech]
            )
            merger.add(tokens, start, end)
            if hypothesis.language is not None:
                languages[hypothesis.language] += len(tokens)
            if hypothesis.emotion or hypothesis.events:
                scenes.append(Scene(start, end, hypothesis.emotion, hypothesis.events))
            if hypothesis.warning:
                warnings.append(f"{start:.1f}–{end:.1f} s: {hypothesis.warning}")
        if not windows.duration:
            raise InputError("holds no audio", where=recording.path)
        return Transcript(
            source=shown_name,
            duration=windows.duration,
            speech_seconds=windows.speech,
            language=self._settings.language or next((code for code, _ in languages.most_common(1)), None),
            model=self._engine.model.name,
            model_sha256=self._engine.model.sha256,
            device=self._engine.executor.device,
            segments=segment(merger.tokens, self._settings.segments),
            paragraphs=tuple(paragraphs(merger.tokens)),
            warnings=tuple(warnings),
            scenes=tuple(scenes),
        )

    def _detector(self) -> SpanDetector:
        if self._silero is None or self._settings.vad is None:
            return WholeRecording()
        return SpeechDetector(self._silero, self._settings.vad)

    def _recognized(self, windows: Iterator[Window], watch: Stopwatch) -> Iterator[tuple[Window, Hypothesis]]:
        """Each window with what was understood in it, all in one language.

        Where none was asked for, each of the first windows is recognised in the language that it seems to be in; they
        vote, and those that stood apart are recognised again in the language of the others.
        """
        language = self._settings.language
        if language is None:
            first = [(window, self._engine.recognize(window, None, watch)) for window in islice(windows, VOTERS)]
            language = _elected(hypothesis for _, hypothesis in first)
            for window, hypothesis in first:
                if hypothesis.language != language is not None:
                    hypothesis = self._engine.recognize(window, language, watch)
                yield window, hypothesis
        for window in windows:
            hypothesis = self._engine.recognize(window, language, watch)
            if language is None:
                language = _elected([hypothesis])
            yield window, hypothesis


def _told(recording: Recording, tick: Tick) -> Iterator[Samples]:
    """The recording's blocks, each told to `tick`."""
    samples = 0
    for block in recording.blocks():
        samples += len(block)
        tick(samples / SAMPLE_RATE, recording.duration)
        yield block


def _elected(hypotheses: Iterable[Hypothesis]) -> str | None:
    """The language with the largest sum of probabilities over the windows in which something was said."""
    votes: dict[str, float] = {}
    for hypothesis in hypotheses:
        if hypothesis.tokens:
            for code, probability in hypothesis.languages.items():
                votes[code] = votes.get(code, 0.0) + probability
    return max(votes, key=votes.__getitem__, default=None)
