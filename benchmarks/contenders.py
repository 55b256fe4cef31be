"""Run one program with its model loaded, in a separate process: what peers.py measures.

    python benchmarks/contenders.py PROGRAM SETTING MODEL PRECISION

Loads the model and prints a line of JSON: {"runtime": name and version}, or {"missing": a package}. Then it answers
each line of stdin, a JSON list of recordings, with {"wall", "cpu", "texts"}: elapsed seconds, seconds of processor time
of all its processes, and the text of each recording. Neither time includes loading.

`PROGRAMS` has the names of programs and settings.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from contender import Answer, Contender, Setting, each, runtime

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, WindowShape
from funasr_cli.models.store import Model, find_model
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.stats import RunStats
from tests.support.processes import cpu_seconds, descendants

LANGUAGE = "zh"

AS_INSTALLED, AT_BEST = "as installed", "at its best"
SIDE_BY_SIDE = "at its best, side by side"
"""A window in each thread of a pool around the program; none of the peers has such a pool itself."""


class Meter(Display):
    """Measures elapsed time, and the processor time of all processes, between the first job and the last."""

    wall = cpu = 0.0

    def start(self, stats: RunStats) -> None:
        self._everybody = [os.getpid(), *descendants(os.getpid())]
        self._cpu, self._clock = cpu_seconds(self._everybody), time.perf_counter()

    def close(self, stats: RunStats) -> None:
        self.wall, self.cpu = time.perf_counter() - self._clock, cpu_seconds(self._everybody) - self._cpu


class Ours(Contender):
    """`funasr-cli transcribe` with its own sizing, including state and output files but not loading."""

    package = "funasr_cli"
    settings: ClassVar = {"": Setting()}

    def __init__(self, model: Model, setting: Setting) -> None:
        self._model = model
        self.runtime = runtime("onnxruntime" if model.family == "sensevoice" else "ctranslate2")

    def transcribe(self, paths: Sequence[Path]) -> Answer:
        from funasr_cli.batch.options import DeviceOptions, InputOptions, OutputOptions, RunOptions
        from funasr_cli.batch.runner import Run
        from funasr_cli.hotwords import read_hotwords
        from funasr_cli.settings.transcription import Settings

        with tempfile.TemporaryDirectory() as out:
            options = RunOptions(
                InputOptions(tuple(map(str, paths))),
                OutputOptions(out),
                DeviceOptions(str(self._model.path), self._model.precision, device="cpu"),
                settings=Settings(formats=("txt",), language=LANGUAGE, itn=False),
            )
            run = Run(options, read_hotwords(()))
            run.display = run.reporter.display = meter = Meter(sys.stderr)
            assert run.execute() == 0, run.stats
            texts = [(Path(out) / f"{path.stem}.txt").read_text(encoding="utf-8") for path in paths]
        return Answer(meter.wall, meter.cpu, texts)


class FasterWhisper(Contender):
    """faster-whisper with its own voice detection, in the same settings as ours."""

    package = "faster_whisper"
    settings: ClassVar = {
        AS_INSTALLED: Setting(),
        "several workers": Setting(threads=1, beside=0),
        "batched": Setting(batch=8),
        "batched, several workers": Setting(threads=1, beside=0, batch=8),
    }

    def __init__(self, model: Model, setting: Setting) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        whisper = WhisperModel(
            str(model.path), compute_type=model.precision, cpu_threads=setting.cores, num_workers=setting.runs
        )
        self._setting = setting
        self._transcribe: Callable[..., Any] = whisper.transcribe
        self._options: dict[str, Any] = {"condition_on_previous_text": False}
        if setting.batch > 1:
            self._transcribe = BatchedInferencePipeline(whisper).transcribe
            self._options = {"batch_size": setting.batch}
        self.runtime = runtime("ctranslate2")

    def texts(self, paths: Sequence[Path]) -> list[str]:
        return each(self._text, paths, self._setting.runs)

    def _text(self, path: Path) -> str:
        ours = VadOptions()
        vad = {
            "threshold": ours.threshold,
            "min_speech_duration_ms": round(1000 * ours.min_speech),
            "min_silence_duration_ms": round(1000 * ours.min_silence),
            "speech_pad_ms": round(1000 * ours.padding),
        }
        options = {"beam_size": 5, "word_timestamps": True, "temperature": 0.0, "language": LANGUAGE, **self._options}
        segments, _ = self._transcribe(str(path), vad_filter=True, vad_parameters=vad, **options)
        return "".join(segment.text for segment in segments)


class WindowByWindow(Contender):
    """A program that transcribes clips: it gets our windows as they are found."""

    _window_seconds = 15.0

    def __init__(self, model: Model, setting: Setting) -> None:
        self._setting = setting
        self._load(model, setting)

    def _load(self, model: Model, setting: Setting) -> None:
        raise NotImplementedError

    def _text(self, samples: Samples) -> str:
        raise NotImplementedError

    def texts(self, paths: Sequence[Path]) -> list[str]:
        texts = [""] * len(paths)

        def text(item: tuple[int, Samples]) -> tuple[int, str]:
            return item[0], self._text(item[1])

        for number, piece in each(text, self._windows(paths), self._setting.runs):
            texts[number] += piece
        return texts

    def _windows(self, paths: Sequence[Path]) -> Iterator[tuple[int, Samples]]:
        for number, path in enumerate(paths):
            with open_recording(path) as recording:
                detector = SpeechDetector(_silero(), VadOptions())
                shape = WindowShape(self._window_seconds)
                for window in SpeechWindows(recording.blocks(), detector, shape):
                    yield number, window.samples


class SherpaOnnx(WindowByWindow):
    package = "sherpa_onnx"
    settings: ClassVar = {AS_INSTALLED: Setting(), SIDE_BY_SIDE: Setting("best", threads=1, beside=0)}

    def _load(self, model: Model, setting: Setting) -> None:
        import sherpa_onnx

        self._recognizer = sherpa_onnx.OfflineRecognizer.from_sense_voice(
            str(model.weights),
            str(model.path / "tokens.txt"),
            num_threads=setting.cores,
            language=LANGUAGE,
            use_itn=False,
        )
        self.runtime = f"{runtime('sherpa-onnx')}, with its own ONNX Runtime"

    def _text(self, samples: Samples) -> str:
        stream = self._recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE, samples)
        self._recognizer.decode_stream(stream)
        return str(stream.result.text)


class FunasrOnnx(WindowByWindow):
    package = "funasr_onnx"
    settings: ClassVar = {
        AS_INSTALLED: Setting(),
        AT_BEST: Setting("best"),
        SIDE_BY_SIDE: Setting("best", threads=1, beside=0),
    }

    def _load(self, model: Model, setting: Setting) -> None:
        from funasr_onnx import SenseVoiceSmall
        from funasr_onnx.utils import sentencepiece_tokenizer

        if not (model.path / "chn_jpn_yue_eng_ko_spectok.bpe.model").exists():
            sentencepiece_tokenizer.SentencepiecesTokenizer.__init__ = lambda *_, **__: None
        self._model = SenseVoiceSmall(str(model.path), quantize=True, intra_op_num_threads=setting.cores)
        self._pieces = json.loads((model.path / "tokens.json").read_text(encoding="utf-8"))
        self._model.tokenizer = self  # the same pieces, even if the folder lacks the tokenizer's model
        self.runtime = runtime("onnxruntime")

    def decode(self, ids: Sequence[int]) -> str:
        """Replace the method of the tokenizer."""
        pieces = (self._pieces[number] for number in ids)
        return "".join(piece for piece in pieces if not piece.startswith("<")).replace("▁", " ")

    def _text(self, samples: Samples) -> str:
        return str(self._model(samples, language=LANGUAGE, textnorm="woitn")[0])


PROGRAMS: Mapping[str, Mapping[str, type[Contender]]] = {
    "sensevoice": {"funasr-cli": Ours, "sherpa-onnx": SherpaOnnx, "funasr-onnx": FunasrOnnx},
    "whisper": {"funasr-cli": Ours, "faster-whisper": FasterWhisper},
}
"""Programs by the family of their model; ours is first."""


@cache
def _silero() -> Any:
    return load_silero()


def main(program: str, setting: str, model_name: str, precision: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # send output of libraries to stderr
    model = find_model(model_name, precision)
    kind = PROGRAMS[model.family][program]
    if find_spec(kind.package) is None:
        print(json.dumps({"missing": kind.package}), file=answers)
        return
    contender = kind(model, kind.settings[setting])
    print(json.dumps({"runtime": contender.runtime}), file=answers)
    for line in sys.stdin:
        print(json.dumps(vars(contender.transcribe([Path(path) for path in json.loads(line)]))), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
