"""Peak memory (PSS) of a whole run, all its processes together, on short and long recordings.

    python benchmarks/pss.py MODEL SPEECH [SECONDS ...]

repeats SPEECH to each length, transcribes each file and one of a minute with `funasr-cli transcribe --workers 2`, and
prints one table: the peak of the sum over all processes of their proportional share of memory, and the largest worker.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.audio.reader import open_recording

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.processes import descendants  # noqa: E402


def pss(pid: int) -> float:
    """Proportional share of memory in MiB; 0 of a process that has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def measure(command: list[str]) -> tuple[float, float, float]:
    """Peak of the whole tree, peak of any worker, both in MiB; and seconds taken."""
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
    return tree, worker, time.monotonic() - started


def main() -> None:
    model = sys.argv[1]
    with open_recording(Path(sys.argv[2])) as recording:
        speech = np.concatenate(list(recording.blocks()))
    lengths = [float(value) for value in sys.argv[3:]] or [600.0, 36_000.0]
    print("| recording of | peak of the whole run | peak of a worker | × real time |\n|---|---|---|---|")
    for seconds in lengths:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "in"
            folder.mkdir()
            with soundfile.SoundFile(folder / "a.wav", "w", SAMPLE_RATE, 1) as file:
                for _ in range(round(seconds * SAMPLE_RATE / len(speech))):
                    file.write(speech)
            soundfile.write(folder / "b.wav", speech[: 60 * SAMPLE_RATE], SAMPLE_RATE)
            options = ["--model", model, "--precision", "int8", "--workers", "2", "-o", f"{work}/out"]
            command = [sys.executable, "-m", "funasr_cli", "transcribe", str(folder), *options]
            tree, worker, taken = measure(command)
        row = (f"{seconds:,.0f} s", f"{tree:.1f} MiB", f"{worker:.1f} MiB", f"{seconds / taken:.0f}")
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
