"""How fast a window is decoded on one core: greedily, with beam search, and with beam search and hotwords.

    python benchmarks/decoding.py FOLDER RECORDING [--rounds 5]

FOLDER is the output of `funasr-cli export`, with a graph that ends in TopK. The graph runs once over the windows of
RECORDING, and its outputs are decoded in every way, in turns, round by round; each figure is the median of the rounds.
The second column is the worst case: every frame has 32 labels with nearly the same probability. Hotwords are 2 to 4
random tokens of the vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from smoke import PAUSES, CommandLines, export_nano, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.audio.reader import open_recording
from funasr_cli.decoding.beam import search
from funasr_cli.decoding.candidates import candidates_of_topk
from funasr_cli.decoding.context import ContextGraph, Spelling
from funasr_cli.decoding.ctc import Emission, best_path_of_topk, collapse
from funasr_cli.decoding.hotword_decoding import decode_with_hotwords
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.features.lfr import SECONDS_PER_FRAME
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.graph import TAG_FRAMES, TOPK, VALID
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from funasr_cli.recognizers.vocabulary import read_vocabulary

Window: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.int32]]"
Decoder: TypeAlias = Callable[[Window], list[Emission]]

FRAMES = 250
LABELS = 32
SIZES = (100, 1_000, 10_000)


def real_windows(folder: Path, recording: Path) -> list[Window]:
    """Return the outputs of the graph for each 15 seconds."""
    (graph,) = folder.glob("model_*_top*.onnx")
    executor = OnnxExecutor(graph, precision="float32", threads=1)
    recognizer = SenseVoiceRecognizer(folder, executor.inputs, executor.outputs, executor.metadata)
    length = round(recognizer.window * SAMPLE_RATE)
    with open_recording(recording) as opened:
        samples = np.concatenate(list(opened.blocks()))
    windows = []
    for start in range(0, len(samples), length):
        outputs = executor.run(recognizer.prepare(samples[start : start + length], Request()))
        frames = slice(TAG_FRAMES, int(outputs[VALID][0]))
        log_probs, ids = (outputs[name][0, frames] for name in TOPK)
        windows.append((log_probs, ids))
    return windows


def confusable_window(vocabulary: int) -> Window:
    scores = np.random.default_rng(0).normal(size=(FRAMES, vocabulary)).astype(np.float32)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    ids = np.argsort(-scores, axis=1)[:, :LABELS]
    return np.take_along_axis(scores, ids, axis=1), ids.astype(np.int32)


def hotwords(number: int, vocabulary: int) -> ContextGraph:
    rng = np.random.default_rng(number)
    return ContextGraph(
        Spelling(rng.integers(1, vocabulary, length).tolist()) for length in rng.integers(2, 5, size=number)
    )


def greedy(window: Window) -> list[Emission]:
    return collapse(best_path_of_topk(*window))


def beam(window: Window) -> list[Emission]:
    return search(candidates_of_topk(*window))


def with_hotwords(context: ContextGraph) -> Decoder:
    return lambda window: decode_with_hotwords(candidates_of_topk(*window), context)


def seconds(decoder: Decoder, windows: list[Window]) -> float:
    start = time.perf_counter()
    for window in windows:
        decoder(window)
    return time.perf_counter() - start


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(command_line)
    vocabulary = len(read_vocabulary(arguments.folder))
    cases = [real_windows(arguments.folder, arguments.recording), [confusable_window(vocabulary)]]
    decoders: dict[str, Decoder] = {"greedy": greedy, "beam": beam}
    decoders |= {f"beam, {size:,} hotwords": with_hotwords(hotwords(size, vocabulary)) for size in SIZES}
    taken = {name: [list[float]() for _ in cases] for name in decoders}
    for _ in range(arguments.rounds):
        for name, decoder in decoders.items():
            for times, windows in zip(taken[name], cases, strict=True):
                times.append(seconds(decoder, windows))
    print("| decoding | real outputs, ms a window | × real time | confusable, ms a window | × real time |")
    print("|---|---|---|---|---|")
    audio = [sum(len(log_probs) for log_probs, _ in windows) * SECONDS_PER_FRAME for windows in cases]
    for name, rounds in taken.items():
        cells = []
        for windows, length, times in zip(cases, audio, rounds, strict=True):
            cells.append(f"{median(times) / len(windows) * 1000:.2f} | {length / median(times):,.0f}")
        print(f"| {name} | {' | '.join(cells)} |")


def smoke(folder: Path) -> CommandLines:
    yield export_nano(folder), PAUSES, "--rounds", 1


if __name__ == "__main__":
    run_benchmark(main, smoke)
