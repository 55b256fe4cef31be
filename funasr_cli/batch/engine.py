"""A model on a device, ready to take windows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.windows import Window
from funasr_cli.batch.devices import Device
from funasr_cli.batch.stopwatch import Stopwatch
from funasr_cli.executors.base import Executor
from funasr_cli.models.store import Model
from funasr_cli.recognizers.base import Hypothesis, Recognizer, Request

MIN_REST = SAMPLE_RATE
"""Samples of speech that a model may leave unheard at the end of a window: less is padding and breath, in which a
generative model finds words that nobody said."""

MIN_PROGRESS = SAMPLE_RATE // 5
"""Samples by which each further run over the rest of a window must come on, so that it ends."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One model, its recogniser, and the executor that runs its graph on `device`."""

    model: Model
    recognizer: Recognizer
    executor: Executor
    device: Device

    def recognize(self, window: Window, language: str | None, watch: Stopwatch) -> Hypothesis:
        """What is said in the window, all of it: where the model stops early, the rest is run as well."""
        start, pieces = 0, list[Hypothesis]()
        while True:
            piece = self._attempt(window.samples[start:], language, watch)
            pieces.append(_shifted(piece, start / SAMPLE_RATE))
            language = piece.language
            if piece.heard is None:
                break
            heard = start + round(piece.heard * SAMPLE_RATE)
            rest = _rest(window, heard)
            if rest is None:
                break
            if rest < start + MIN_PROGRESS:
                pieces.append(Hypothesis((), language, warning="the model stopped before the end of the speech"))
                break
            start = rest
        return replace(
            pieces[0],
            tokens=tuple(token for piece in pieces for token in piece.tokens),
            warning=next((piece.warning for piece in pieces if piece.warning), None),
        )

    def _attempt(self, samples: Samples, language: str | None, watch: Stopwatch) -> Hypothesis:
        """Prepare, run and decode; again, in the language that was found, where the result asks for it."""
        hypothesis = self._once(samples, Request(language), watch)
        if not hypothesis.retry:
            return hypothesis
        second = self._once(samples, Request(hypothesis.language, attempt=1), watch)
        return replace(second, languages=hypothesis.languages)

    def _once(self, samples: Samples, request: Request, watch: Stopwatch) -> Hypothesis:
        with watch.stage("prepare"):
            inputs = self.recognizer.prepare(samples, request)
        with watch.stage("run"):
            outputs = self.executor.run(inputs)
        with watch.stage("decode"):
            return self.recognizer.decode(outputs, request)


def _rest(window: Window, heard: int) -> int | None:
    """The sample of the window from which there is speech that was not heard; None where it is too little."""
    origin = window.bounds.start
    unheard = [(max(span.start - origin, heard), span.end - origin) for span in window.speech]
    unheard = [(start, end) for start, end in unheard if start < end]
    return unheard[0][0] if sum(end - start for start, end in unheard) >= MIN_REST else None


def _shifted(hypothesis: Hypothesis, seconds: float) -> Hypothesis:
    return replace(hypothesis, tokens=tuple(token.shifted(seconds) for token in hypothesis.tokens))


def load_engine(model: Model, device: Device, *, threads: int, itn: bool = True) -> Engine:
    """Load the model; raises `ModelError` where it is damaged."""
    recognizer, executor = LOADERS[model.family](model, threads, itn)
    return Engine(model, recognizer, executor, device)


def _load_whisper(model: Model, threads: int, itn: bool) -> tuple[Recognizer, Executor]:
    """Whisper writes punctuation and numbers as it likes; `itn` makes no difference."""
    # Each family's runtime is imported where it is needed: the other's takes a second and tens of megabytes.
    from funasr_cli.executors.ctranslate2 import CTranslate2Executor
    from funasr_cli.recognizers.whisper import WhisperRecognizer

    recognizer = WhisperRecognizer(model.path)
    executor = CTranslate2Executor(
        model.path,
        mels=recognizer.mels,
        language_ids=recognizer.language_ids,
        end_id=recognizer.end_id,
        precision=model.precision,
        threads=threads,
    )
    return recognizer, executor


def _load_sensevoice(model: Model, threads: int, itn: bool) -> tuple[Recognizer, Executor]:
    from funasr_cli.executors.onnx import OnnxExecutor
    from funasr_cli.recognizers.sensevoice import SenseVoiceRecognizer

    executor = OnnxExecutor(model.weights, precision=model.precision, threads=threads)
    recognizer = SenseVoiceRecognizer(model.path, executor.inputs, executor.outputs, executor.metadata, itn=itn)
    return recognizer, executor


LOADERS = {"whisper": _load_whisper, "sensevoice": _load_sensevoice}
