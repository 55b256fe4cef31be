"""What a 15-second SenseVoice window costs beyond the bare run of its graph, which ends in logits or in TopK.

    python benchmarks/sensevoice.py FOLDER RECORDING [--threads 2] [--rounds 20]

FOLDER is the output of `funasr-cli export … --int8`. RECORDING has at least 15 s of speech. The rows take turns, round
by round, so that a change of the machine's load affects all of them; each figure is the median of the rounds.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # like the command line, before NumPy is imported

import numpy as np
import onnx
from smoke import NO_PAUSES, CommandLines, export_nano, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.reader import open_recording
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.export.cpu_form import cpu_form
from funasr_cli.export.freeze import append_topk, freeze
from funasr_cli.export.quantize import quantize
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer

WINDOW = 15 * SAMPLE_RATE
FRAMES = 250
TOPK = 32


def graphs(folder: Path, work: Path) -> dict[str, Path]:
    """Return int8 graphs of one model: free dimensions, fixed, and fixed with TopK."""
    model = cpu_form(onnx.load(folder / "model.onnx"), work)  # as in the export; no frame is padding
    fixed = freeze(model, FRAMES, work)
    onnx.save(fixed, work / "fixed.onnx")
    append_topk(fixed, TOPK)
    onnx.save(fixed, work / "topk.onnx")
    for name in ("fixed", "topk"):
        quantize(work / f"{name}.onnx", work / f"{name}.int8.onnx")
        (work / f"{name}.onnx").unlink()
    return {
        "free dimensions, logits": folder / "model_quant.onnx",
        "fixed, logits": work / "fixed.int8.onnx",
        f"fixed, TopK {TOPK}": work / "topk.int8.onnx",
    }


class Row:
    """One graph, and the seconds of its stages in each round."""

    def __init__(self, folder: Path, graph: Path, threads: int) -> None:
        self.executor = OnnxExecutor(graph, precision="int8", threads=threads)
        self.recognizer = SenseVoiceRecognizer(
            folder, self.executor.inputs, self.executor.outputs, self.executor.metadata
        )
        self.seconds: list[tuple[float, float, float]] = []
        self.copied = 0

    def round(self, samples: Samples) -> None:
        """Prepare, run and decode once."""
        request = Request()
        start = time.perf_counter()
        inputs = self.recognizer.prepare(samples, request)
        prepared = time.perf_counter()
        outputs = self.executor.run(inputs)
        ran = time.perf_counter()
        self.recognizer.decode(outputs, request)
        self.seconds.append((prepared - start, ran - prepared, time.perf_counter() - ran))
        self.copied = sum(output.nbytes for output in outputs.values())

    def line(self, name: str) -> str:
        """Return the row of the table."""
        prepare, run, decode = (median(stage) * 1000 for stage in zip(*self.seconds, strict=True))
        whole = median(sum(stages) / stages[1] for stages in self.seconds)
        size = f"{self.copied / 1e6:.2f} MB"
        return f"| {name} | {prepare:.1f} | {run:.1f} | {decode:.2f} | {whole:.3f} | {size} |"


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args(command_line)
    with open_recording(arguments.recording) as recording:
        samples = np.concatenate(list(recording.blocks()))[:WINDOW]
    with tempfile.TemporaryDirectory() as work:
        rows = {
            name: Row(arguments.folder, graph, arguments.threads)
            for name, graph in graphs(arguments.folder, Path(work)).items()
        }
    for turn in range(arguments.rounds + 1):
        for row in rows.values():
            row.round(samples)
            if turn == 0:
                row.seconds.clear()  # the first run of a graph plans its memory
    print("| int8 graph | prepare, ms | run, ms | decode, ms | all ÷ run | output |\n|---|---|---|---|---|---|")
    for name, row in rows.items():
        print(row.line(name))


def smoke(folder: Path) -> CommandLines:
    yield export_nano(folder), NO_PAUSES, "--rounds", 1


if __name__ == "__main__":
    run_benchmark(main, smoke)
