"""What overlapping windows cost: speech without pauses through the pipeline, against cuts between words.

    python benchmarks/merge.py MODEL RECORDING.wav ... [--overlap 2]

Next to each RECORDING.wav is RECORDING.json, {"words": [{"text", "start", "end"}]}, times in seconds. One way, the
pipeline of `funasr-cli transcribe` finds and merges the windows; the other way, the recording is cut at word boundaries
into windows of the same length, and the texts are joined. Word starts are those of correctly recognised tokens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from smoke import NANO, NO_PAUSES, CommandLines, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import Bounds, SpeechWindows, Window, WindowShape
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import placed
from funasr_cli.pipeline.window_runner import WindowRunner, load_window_runner
from funasr_cli.scoring.align import Counts, align
from funasr_cli.scoring.normalise import units
from funasr_cli.scoring.read import Piece
from funasr_cli.scoring.times import TOLERANCE_S, start_offsets
from funasr_cli.system.resources import usable_cores
from funasr_cli.text.merge import Merger
from funasr_cli.text.timing import fit_to_speech
from funasr_cli.transcript import Token

LANGUAGE = "zh"


def heard(runner: WindowRunner, window: Window) -> list[Token]:
    """Return the tokens of a window, at their place in the recording."""
    tokens = asyncio.run(runner.recognize(window, LANGUAGE, StageTimings())).tokens
    return fit_to_speech(placed(window, tokens), [part.seconds for part in window.parts])


def overlapping(
    runner: WindowRunner, blocks: list[Samples], overlap: float
) -> tuple[list[Token], list[tuple[float, float]]]:
    """Return tokens as the pipeline merges them, and start and end of each overlap in seconds."""
    shape = WindowShape(runner.recognizer.window, overlap)
    merger, twice, before = Merger(), [], 0.0
    for window in SpeechWindows(blocks, SpeechDetector(load_silero(), VadOptions()), shape):
        start, end = window.bounds.seconds
        merger.add(heard(runner, window), start, end)
        if start < before:
            twice.append((start, before))
        before = end
    return merger.tokens, twice


def cut_at_words(runner: WindowRunner, samples: Samples, words: list[dict[str, float]]) -> Iterator[Token]:
    """Yield tokens of windows that begin and end between two words."""
    length = round(runner.recognizer.window * SAMPLE_RATE)
    edges = [round(word["start"] * SAMPLE_RATE) for word in words] + [round(words[-1]["end"] * SAMPLE_RATE)]
    start = edges[0]
    for edge, after in zip(edges, [*edges[1:], None], strict=True):
        if after is None or after - start > length:
            bounds = Bounds(start, edge)
            yield from heard(runner, Window(samples[start:edge], (bounds,)))
            start = edge


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("model")
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--overlap", type=float, default=2.0)
    arguments = parser.parse_args(command_line)
    runner = load_window_runner(find_model(arguments.model), Placement(usable_cores()))
    sums = {"windows": Counts(), "cuts": Counts()}
    inside, outside = list[NDArray[np.float64]](), list[NDArray[np.float64]]()
    print("| recording | CER, cut at words | CER, overlapping windows | starts, overlaps | starts, elsewhere |")
    print("|---|---|---|---|---|")
    for path in arguments.recordings:
        words = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["words"]
        reference = units([Piece(word["text"], word["start"]) for word in words], "cer")
        with open_recording(path) as recording:
            blocks = list(recording.blocks())
        merged, twice = overlapping(runner, blocks, arguments.overlap)
        counts = {}
        for way, tokens in {
            "cuts": list(cut_at_words(runner, np.concatenate(blocks), words)),
            "windows": merged,
        }.items():
            hypothesis = units([Piece(token.text, token.start) for token in tokens], "cer")
            alignment = align(reference.tokens, hypothesis.tokens)
            counts[way] = alignment.counts
            sums[way] += alignment.counts
        offsets = start_offsets(reference, hypothesis, alignment)
        starts = hypothesis.starts[alignment.hypothesis][~np.isnan(reference.starts[alignment.reference])]
        within = np.array([any(low <= start < high for low, high in twice) for start in starts], bool)
        inside.append(offsets[within])
        outside.append(offsets[~within])
        print(line(path.stem, counts, inside[-1], outside[-1]))
    print(line("all", sums, np.concatenate(inside), np.concatenate(outside)))
    offsets = np.concatenate([*inside, *outside])
    close = np.abs(offsets - np.median(offsets)) <= TOLERANCE_S
    print(f"\n{close.mean():.1%} of {len(offsets)} starts within {TOLERANCE_S * 1000:.0f} ms of the median offset")


def line(name: str, counts: dict[str, Counts], inside: NDArray[np.float64], outside: NDArray[np.float64]) -> str:
    """Return a row of the table; offsets of starts are medians in ms."""
    rates = [f"{counts[way].rate:.2%}" for way in ("cuts", "windows")]
    return (
        f"| {name} | {' | '.join(rates)} | "
        + " | ".join(f"{np.median(part) * 1000:+.0f} ms ({len(part)})" for part in (inside, outside))
        + " |"
    )


def smoke(folder: Path) -> CommandLines:
    yield NANO, NO_PAUSES


if __name__ == "__main__":
    run_benchmark(main, smoke)
