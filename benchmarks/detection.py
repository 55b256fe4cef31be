"""CPU time of a worker's stages: reading, voice detection and features, each alone on one thread.

    python benchmarks/detection.py RECORDING...

Prints two tables. The first has the times; *detection, graph* runs the network's published graph in ONNX Runtime
instead of the network in NumPy, and *features* covers all audio, in windows of 15 s. The stages take turns; numbers are
medians of the rounds, and ratios medians of the rounds' ratios. The second table shows how far the two detectors differ
in probabilities and in the ends of spans.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # like the command line, before NumPy is imported

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from smoke import PAUSES, CommandLines, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import FRAME_SAMPLES, SileroModel, SileroWeights, load_silero
from funasr_cli.audio.spans import Span
from funasr_cli.audio.vad import FRAMES_PER_RUN, SpeechDetector
from funasr_cli.features.fbank import fbank
from funasr_cli.features.lfr import stack_frames
from tests.support.silero_graph import SileroGraph

WINDOW_SAMPLES = 15 * SAMPLE_RATE

GRAPH, DETECTION = "detection, graph", "detection"


def read(path: Path) -> list[Samples]:
    with open_recording(path) as recording:
        return list(recording.blocks())


def detect(blocks: Sequence[Samples], detector: SpeechDetector) -> list[Span]:
    """Return the closed spans of a recording."""
    spans = [span for block in blocks for span in detector.push(block)] + detector.finish()
    return [span for span in spans if span.closed]


def detector_of(weights: SileroWeights, graph: SileroGraph | None = None) -> SpeechDetector:
    """Return a detector, which uses `graph`, if given, instead of the network in NumPy."""
    detector = SpeechDetector(weights, VadOptions())
    if graph is not None:
        detector._model = graph  # type: ignore[assignment]
    return detector


def features(samples: Samples) -> int:
    """Compute features and return their number."""
    starts = range(0, len(samples), WINDOW_SAMPLES)
    return sum(len(stack_frames(fbank(samples[start : start + WINDOW_SAMPLES]))) for start in starts)


def probabilities(model: SileroModel | SileroGraph, samples: Samples) -> np.ndarray:
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]
    runs = range(0, len(frames), FRAMES_PER_RUN * FRAME_SAMPLES)
    return np.concatenate([model.probabilities(frames[at : at + FRAMES_PER_RUN * FRAME_SAMPLES]) for at in runs])


def cpu_seconds(do: Callable[[], object]) -> float:
    started = time.process_time()
    do()
    return time.process_time() - started


def times(paths: Sequence[Path], rounds: int) -> None:
    """Print the table of CPU seconds."""
    weights = load_silero()
    blocks = [read(path) for path in paths]
    whole = [np.concatenate(one) for one in blocks]
    hours = sum(map(len, whole)) / SAMPLE_RATE / 3600
    stages: dict[str, Callable[[], object]] = {
        GRAPH: lambda: [detect(one, detector_of(weights, SileroGraph())) for one in blocks],
        DETECTION: lambda: [detect(one, detector_of(weights)) for one in blocks],
        "features": lambda: [features(one) for one in whole],
        "reading": lambda: [read(path) for path in paths],
    }
    turns = [{stage: cpu_seconds(do) / hours for stage, do in stages.items()} for _ in range(rounds)]
    print("| stage | CPU seconds an hour of audio | × real time | against the graph |\n|---|---|---|---|")
    for stage in stages:
        seconds = median(turn[stage] for turn in turns)
        ratio = f"{median(turn[GRAPH] / turn[stage] for turn in turns):.2f}" if stage in (GRAPH, DETECTION) else ""
        print(f"| {stage} | {seconds:.2f} | {3600 / seconds:.0f} | {ratio} |")


def differences(paths: Sequence[Path]) -> None:
    """Print the table of differences between the detectors."""
    weights = load_silero()
    print("| recording | audio | largest difference of a probability | spans | farthest ends |\n|---|---|---|---|---|")
    for path in paths:
        blocks = read(path)
        samples = np.concatenate(blocks)
        apart = np.abs(probabilities(SileroModel(weights), samples) - probabilities(SileroGraph(), samples)).max()
        ours, theirs = detect(blocks, detector_of(weights)), detect(blocks, detector_of(weights, SileroGraph()))
        counts = f"{len(ours)}" if len(ours) == len(theirs) else f"{len(ours)}, not {len(theirs)}"
        pairs = list(zip(ours, theirs, strict=False))
        ends = [abs(one.start - other.start) for one, other in pairs] + [abs(a.end - b.end) for a, b in pairs]
        farthest = f"{1000 * max(ends, default=0) / SAMPLE_RATE:.0f} ms"
        print(f"| {path.stem} | {len(samples) / SAMPLE_RATE:.0f} s | {apart:.1e} | {counts} | {farthest} |")


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    arguments: argparse.Namespace = parser.parse_args(command_line)
    times(arguments.recordings, arguments.rounds)
    print()
    differences(arguments.recordings)


def smoke(folder: Path) -> CommandLines:
    yield PAUSES, "--rounds", 1


if __name__ == "__main__":
    run_benchmark(main, smoke)
