"""Peak memory (PSS) of a whole run, all its processes together, on short and long recordings.

    python benchmarks/pss.py MODEL SPEECH [SECONDS ...]

Repeats SPEECH to about each length, transcribes each file and one of a minute with `funasr-cli transcribe --workers 2`,
and prints one table: the peak of the sum of all processes' proportional shares of memory, and the largest worker.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from memory import write_wav
from smoke import NANO, PAUSES, CommandLines, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.audio.reader import open_recording
from tests.support.processes import descendants


def pss(pid: int) -> float:
    """Return the proportional share of memory in MiB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def measure(command: list[str]) -> tuple[float, float, float]:
    """Return the peak of the process tree and of any worker, both in MiB, and the elapsed seconds."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tree = worker = 0.0
    while process.poll() is None:
        names = {process.pid: "parent", **descendants(process.pid)}
        shares = {pid: pss(pid) for pid in names}
        tree = max(tree, sum(shares.values()))
        worker = max([worker, *(share for pid, share in shares.items() if names[pid] == "funasr-worker")])
        time.sleep(0.25)
    assert process.returncode == 0
    assert worker, "no worker was seen"
    return tree, worker, time.monotonic() - started


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("model")
    parser.add_argument("speech", type=Path)
    parser.add_argument("seconds", type=float, nargs="*", default=[600.0, 36_000.0])
    arguments = parser.parse_args(command_line)
    with open_recording(arguments.speech) as recording:
        speech = np.concatenate(list(recording.blocks()))
    print("| recording of | peak of the whole run | peak of a worker | × real time |\n|---|---|---|---|")
    for seconds in arguments.seconds:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "in"
            folder.mkdir()
            write_wav(folder / "a.wav", speech, seconds)
            soundfile.write(folder / "b.wav", speech[: 60 * SAMPLE_RATE], SAMPLE_RATE)
            options = ["--model", arguments.model, "--precision", "int8", "--workers", "2", "-o", f"{work}/out"]
            command = [sys.executable, "-m", "funasr_cli", "transcribe", str(folder), *options]
            tree, worker, taken = measure(command)
        row = (f"{seconds:,.0f} s", f"{tree:.1f} MiB", f"{worker:.1f} MiB", f"{seconds / taken:.0f}")
        print(f"| {' | '.join(row)} |", flush=True)


def smoke(folder: Path) -> CommandLines:
    yield NANO, PAUSES, 20


if __name__ == "__main__":
    run_benchmark(main, smoke)
