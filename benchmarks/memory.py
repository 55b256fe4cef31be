"""Peak memory of reading, voice detection and windows, by the length of the recording.

    python benchmarks/memory.py SPEECH [SECONDS ...]

Repeats SPEECH to about each length, as 16 kHz WAV and as 44.1 kHz stereo AAC in MP4, runs the front end over each file
in a separate process, and prints one table.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import soundfile
from smoke import PAUSES, CommandLines, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, WindowShape


def front_end(path: Path) -> None:
    """Read all windows of one file; print peak resident memory in MiB, seconds of audio, elapsed seconds, windows."""
    started = time.perf_counter()
    with open_recording(path) as recording:
        stream = SpeechWindows(recording.blocks(), SpeechDetector(load_silero(), VadOptions()), WindowShape(30.0))
        windows = sum(1 for _ in stream)
    # Not getrusage: its peak starts with that of the parent process.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(peak, stream.duration, time.perf_counter() - started, windows)


def repetitions(speech: Samples, seconds: float) -> int:
    """Return how often to repeat the speech for a recording of about this length."""
    return max(1, round(seconds * SAMPLE_RATE / len(speech)))


def write_wav(path: Path, speech: Samples, seconds: float) -> None:
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1) as file:
        for _ in range(repetitions(speech, seconds)):
            file.write(speech)


def write_mp4(path: Path, speech: Samples, seconds: float) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100, layout="stereo")
        resampler = av.AudioResampler("fltp", "stereo", 44_100, frame_size=1024)
        for _ in range(repetitions(speech, seconds)):
            frame = av.AudioFrame.from_ndarray(speech[np.newaxis], "fltp", "mono")
            frame.sample_rate = SAMPLE_RATE
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def main(command_line: Sequence[str]) -> None:
    if command_line[:1] == ["--one"]:
        front_end(Path(command_line[1]))
        return
    parser = parser_of(__doc__)
    parser.add_argument("speech", type=Path)
    parser.add_argument("seconds", type=float, nargs="*", default=[180.0, 10_800.0])
    arguments = parser.parse_args(command_line)
    with open_recording(arguments.speech) as recording:
        speech = np.concatenate(list(recording.blocks()))
    print("| file | audio | windows | peak memory | × real time, one core |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for suffix, write in ((".wav", write_wav), (".mp4", write_mp4)):
            for seconds in arguments.seconds:
                path = Path(folder) / f"speech{suffix}"
                write(path, speech, seconds)
                command = [sys.executable, __file__, "--one", str(path)]
                output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                peak, audio, taken, windows = map(float, output.split())
                row = (suffix[1:], f"{audio:,.0f} s", f"{windows:,.0f}", f"{peak:.1f} MiB", f"{audio / taken:.0f}")
                print(f"| {' | '.join(row)} |", flush=True)


def smoke(folder: Path) -> CommandLines:
    yield PAUSES, 20


if __name__ == "__main__":
    run_benchmark(main, smoke)
