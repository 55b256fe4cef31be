"""Transcribes one recording, from file to transcript."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from funasr_cli.audio.quiet import level_warnings
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.recording import Recording
from funasr_cli.audio.silero import SileroWeights, load_silero
from funasr_cli.audio.spans import SpanDetector, WholeRecording
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, Window, WindowShape
from funasr_cli.callbacks import OnProgress
from funasr_cli.errors import InputError
from funasr_cli.models.store import COMPILED, cpu_twin_path
from funasr_cli.outputs.packing import pack, unpack
from funasr_cli.pipeline.channels import ChannelResult, check_number, one_pass, without_copies
from funasr_cli.pipeline.holes import Interval, add_speech, find_holes, hole_warnings
from funasr_cli.pipeline.language_vote import recognize_in_spoken_language
from funasr_cli.pipeline.progress import RecordingProgress
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.window_runner import WindowRunner
from funasr_cli.settings.transcription import Settings
from funasr_cli.text.compose import compose
from funasr_cli.text.editor import Editor
from funasr_cli.text.merge import Merger
from funasr_cli.text.timing import fit_to_speech
from funasr_cli.transcript import Recognition, RecognizedChannel, Scene, Token, Transcript

logger = logging.getLogger(__name__)


class Transcriber:
    """Transcribes recordings in turn with one model and one set of settings."""

    def __init__(self, runner: WindowRunner, settings: Settings) -> None:
        self._runner = replace(runner, padding=settings.vad.padding if settings.vad else None)
        self._settings = settings
        self._silero: SileroWeights | None = load_silero() if settings.vad else None
        self._editor = Editor(settings.text(writes_numbers=runner.recognizer.writes_numbers), settings.hotwords)
        self._shape = WindowShape(runner.recognizer.window, settings.overlap)

    async def transcribe(self, path: Path, source: str, on_progress: OnProgress, timings: StageTimings) -> Transcript:
        """Transcribe one file; the transcript names it `source`.

        Raises `InputError` if the file has no readable audio.
        """
        return self.compose(await self.recognize(path, on_progress, timings), source)

    async def recognize(self, path: Path, on_progress: OnProgress, timings: StageTimings) -> bytes:
        """Recognise one file; returns the result packed for storage.

        Raises `InputError` if the file has no readable audio.
        """
        results, warnings = await self._transcribe_channels(path, on_progress, timings)
        speech, peak = sum(one.speech_seconds for one in results), max(one.peak for one in results)
        warnings = [
            *(text for one in results for text in one.warnings),
            *warnings,
            *level_warnings(peak, speech),
            *self._elsewhere(timings.devices),
        ]
        languages = Counter[str]()
        for one in results:
            languages.update(one.languages)  # unlike a sum, this keeps languages with a count of 0
        recognition = Recognition(
            duration=results[0].duration,
            speech_seconds=speech,
            language=self._settings.language or _commonest(languages),
            model=self._runner.model.name,
            model_sha256=self._runner.model.sha256,
            device=", ".join(sorted(timings.devices)) or self._runner.device,
            writes_numbers=self._runner.recognizer.writes_numbers,
            channels=tuple(map(self._recognized, results)),
            warnings=tuple(dict.fromkeys(warnings)),
            extra_runs=dict(timings.extra_runs),
        )
        return pack(recognition)

    def _recognized(self, one: ChannelResult) -> RecognizedChannel:
        language = self._settings.language or _commonest(one.languages)
        return RecognizedChannel(one.channel, language, tuple(one.tokens), tuple(one.scenes))

    def compose(self, recognition: bytes, source: str) -> Transcript:
        """Make a transcript from a packed result: the same bytes give the same transcript in any later run."""
        return compose(unpack(recognition), source, self._editor)

    def _elsewhere(self, runs: Mapping[str, int]) -> list[str]:
        """Warnings about runs on a CPU in place of an NPU, with the graph used; `runs` counts runs by device."""
        model = self._runner.model
        elsewhere = {device: count for device, count in runs.items() if not device.startswith("npu")}
        if model.precision != COMPILED or not elsewhere:
            return []
        graph = cpu_twin_path(model).name
        return [f"ran on {device} with {graph}, not on an NPU: {n} windows" for device, n in elsewhere.items()]

    async def _transcribe_channels(
        self, path: Path, on_progress: OnProgress, timings: StageTimings
    ) -> tuple[list[ChannelResult], list[str]]:
        """Transcribe all channels mixed, or each one separately; also returns warnings about the channels."""
        if self._settings.channels == "mix":
            with self._open(path) as recording:
                return [await self._transcribe_channel(recording, on_progress, timings)], []
        # One pass per channel: reading costs little compared with recognition, and memory does not grow.
        with self._open(path, 1) as first:
            check_number(first)
            results = [await self._transcribe_channel(first, one_pass(on_progress, 0.0, first.channels), timings)]
        others = [channel for channel in range(2, first.channels + 1) if channel not in first.copies]
        for before, channel in enumerate(others, start=1):
            share = one_pass(on_progress, before * results[0].duration, 1 + len(others))
            with self._open(path, channel) as recording:
                results.append(await self._transcribe_channel(recording, share, timings))
        return without_copies(results, first.copies, first.opposed)

    def _open(self, path: Path, channel: int | None = None) -> Recording:
        return open_recording(path, channel, track=self._settings.track, raw=self._settings.raw)

    async def _transcribe_channel(
        self, recording: Recording, on_progress: OnProgress, timings: StageTimings
    ) -> ChannelResult:
        """Transcribe an open recording. Raises `InputError` if it contains no audio."""
        progress = RecordingProgress(recording, on_progress)
        windows = SpeechWindows(progress.blocks(), self._detector(), self._shape)
        merger, warnings, languages, scenes = Merger(), recording.warnings, Counter[str](), list[Scene]()
        speech = list[Interval]()
        where = f"channel {recording.channel}, " if recording.channel else ""
        recognition = recognize_in_spoken_language(
            self._runner,
            timings.each("listen", progress.windows(windows)),
            self._settings.language,
            timings,
            progress.done,
        )
        async with aclosing(recognition) as recognized:
            async for window, hypothesis in recognized:
                start, end = window.bounds.seconds
                add_speech(speech, (part.seconds for part in window.parts))
                said = placed(window, hypothesis.tokens, hypothesis.language)
                tokens = fit_to_speech(said, [part.seconds for part in window.parts])
                merger.add(tokens, start, end)
                if hypothesis.language is not None:
                    languages[hypothesis.language] += len(tokens)
                if hypothesis.emotion or hypothesis.events:
                    scenes.append(Scene(start, end, hypothesis.emotion, hypothesis.events))
                if hypothesis.warning:
                    warnings.append(f"{where}{start:.1f}–{end:.1f} s: {hypothesis.warning}")
        if not windows.duration:
            raise InputError("contains no audio", where=recording.path)
        if self._runner.padding is not None:
            holes = find_holes(merger.tokens, speech, self._runner.padding)
            warnings = [*warnings, *(f"{where}{what}" for what in hole_warnings(holes))]
        language = self._settings.language or _commonest(languages)
        logger.debug(
            "%s: %.1f s, %.1f s of speech, language %s", recording.path, windows.duration, windows.speech, language
        )
        logger.debug("%d runs, of these beyond one per window: %s", timings.devices.total(), dict(timings.extra_runs))
        return ChannelResult(
            recording.channel,
            windows.duration,
            windows.speech,
            languages,
            merger.tokens,
            scenes,
            warnings,
            windows.peak,
        )

    def _detector(self) -> SpanDetector:
        if self._silero is None or self._settings.vad is None:
            return WholeRecording()
        return SpeechDetector(self._silero, self._settings.vad)


def placed(window: Window, tokens: Iterable[Token], language: str | None = None) -> Iterator[Token]:
    """Convert the token times of a window to times in the recording; `language` is the language of the window."""
    for token in tokens:
        start, end = window.place(token.start, token.end)
        yield Token(token.text, start, end, token.confidence, token.tail, language)


def _commonest(languages: Counter[str]) -> str | None:
    return next((code for code, _ in languages.most_common(1)), None)
