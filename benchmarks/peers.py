"""Compare with other programs on the same audio, weights and cores: elapsed time and processor time.

    python benchmarks/peers.py environments FOLDER               make the peers' environments, with pip
    python benchmarks/peers.py --environments FOLDER sensevoice MODEL RECORDING...      sherpa-onnx, funasr-onnx
    python benchmarks/peers.py --environments FOLDER whisper RECORDING...               faster-whisper; whisper-base

From files to texts. Ours is `funasr-cli transcribe`, with state and output files; a peer goes from file to file and
writes nothing. sherpa-onnx and funasr-onnx get the windows of our voice detection, whose time counts for them;
faster-whisper has its own detection, with our settings. A peer runs as installed, and with the fastest settings found
(contenders.py). Each program is a new process each time; only "whole" includes loading. Without `--environments` all
programs run in this environment; those that are not installed are skipped.

The programs take turns, `--rounds` times, forwards and backwards; ratios are medians of the rounds' ratios, with the
smallest and the largest in parentheses. Above 1: ours is faster. `--neighbours N` repeats each round during N busy
loops, one per core. CER is shown if RECORDING.json ({"words": [{"text"}]}) or RECORDING.txt is next to the recording.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from venv import EnvBuilder

from contender import Answer, Setting
from contenders import PROGRAMS
from smoke import PAUSES, ROOT, CommandLines, export_nano, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.audio.reader import open_recording
from funasr_cli.models import embedded
from funasr_cli.models.catalogue import WHISPER_BASE
from funasr_cli.models.store import Model, find_model
from funasr_cli.scoring.align import Counts, align
from funasr_cli.scoring.normalise import units
from funasr_cli.scoring.read import Piece
from funasr_cli.system.resources import usable_cores

ENVIRONMENTS: Mapping[str, Sequence[str]] = {"installed": (), "best": ("onnxruntime==1.24.4",)}
"""Packages of each environment besides the peers' newest releases: the last ONNX Runtime with fast uint8 products."""

PEERS = ("sherpa-onnx", "librosa", "kaldi-native-fbank", "jieba", "scipy")
"""sherpa-onnx, and what funasr-onnx needs; our own requirements include faster-whisper."""


def make_environments(folder: Path) -> None:
    """Make the environments, with our requirements for reading recordings.

    funasr-onnx's own pins would downgrade NumPy to 1.26.
    """
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    ours = setup["options"]["install_requires"].split()
    for name, pinned in ENVIRONMENTS.items():
        EnvBuilder(with_pip=True, symlinks=True).create(folder / name)
        pip = [str(folder / name / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, *ours, *pinned, *PEERS], check=True)
        subprocess.run([*pip, "--no-deps", "funasr-onnx"], check=True)


@dataclass(frozen=True)
class Program:
    """A contender in one of its settings, and its interpreter."""

    name: str
    setting: str
    python: Path
    model: Model

    def runtime(self) -> str | None:
        """Return the runtime with its version; if a package is missing, print that and return None."""
        with self._started() as process:
            first = _read(process)
        if "missing" in first:
            print(f"skipped: {self.name} {self.setting}: {first['missing']} is not installed")
            return None
        return str(first["runtime"])

    def transcribe(self, paths: Sequence[Path]) -> Answer:
        """Measure these recordings in a new process, whose first runs plan their memory."""
        started = time.perf_counter()
        with self._started() as process:
            _read(process)
            assert process.stdin is not None
            print(json.dumps([str(path.resolve()) for path in paths]), file=process.stdin, flush=True)
            answer = Answer(**_read(process))
            whole = time.perf_counter() - started
            process.stdin.close()
        assert all(text.strip() for text in answer.texts), f"{self.name} gave no text"
        return replace(answer, whole=whole)

    def _started(self) -> subprocess.Popen[str]:
        script = Path(__file__).with_name("contenders.py")
        return subprocess.Popen(
            [self.python, script, self.name, self.setting, self.model.path, self.model.precision],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Like the command line: NumPy's threads would spin beside the model's.
            env={"OPENBLAS_NUM_THREADS": "1", **os.environ},
        )


def _read(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read the next line of a program."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "a program ended"
    return dict(json.loads(line))


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Run `count` programs that compute without end, one per core."""
    cores = sorted(os.sched_getaffinity(0))
    loops = []
    try:
        for number in range(count):
            loops.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            os.sched_setaffinity(loops[-1].pid, [cores[number % len(cores)]])
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def programs(folder: Path | None, model: Model) -> Iterator[Program]:
    """Yield all programs for the model, in every setting; ours is first."""
    for name, kind in PROGRAMS[model.family].items():
        for setting_name, setting in kind.settings.items():
            ours = folder is None or name == "funasr-cli"
            python = Path(sys.executable) if ours or folder is None else folder / setting.folder / "bin" / "python"
            program = Program(name, setting_name, python, model)
            runtime = program.runtime()
            if runtime is not None:
                print(f"- {f'{name} {setting_name}'.strip()}: {runtime}, {how(name, setting)}", flush=True)
                yield program


def how(program: str, setting: Setting) -> str:
    """Describe the setting."""
    return "automatic sizing" if program == "funasr-cli" else str(setting)


def reference(path: Path) -> str | None:
    """Return the reference text of a recording, None if unknown."""
    words, text = path.with_suffix(".json"), path.with_suffix(".txt")
    if words.exists():
        return "".join(word["text"] for word in json.loads(words.read_text(encoding="utf-8"))["words"])
    return text.read_text(encoding="utf-8") if text.exists() else None


def error_rate(texts: Sequence[str], paths: Sequence[Path]) -> str:
    counts = Counts()
    for path, text in zip(paths, texts, strict=True):
        said = reference(path)
        if said is not None:
            pair = (units([Piece(one, None)], "cer").tokens for one in (said, text))
            counts += align(*pair).counts
    return "" if counts.rate is None else f"{counts.rate:.2%}"


def ratio(over: Sequence[float], under: Sequence[float]) -> str:
    """Return the median of the ratios, with the smallest and the largest."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


Times = dict[Program, list[Answer]]


def walls(answers: Sequence[Answer]) -> list[float]:
    return [answer.wall for answer in answers]


def cpus(answers: Sequence[Answer]) -> list[float]:
    return [answer.cpu for answer in answers]


def wholes(answers: Sequence[Answer]) -> list[float]:
    return [answer.whole for answer in answers]


def print_times(times: Times, paths: Sequence[Path], audio: float) -> None:
    """Print the tables; the first program is ours."""
    ours = next(iter(times.values()))
    print("| program | | seconds | × real time | its ÷ ours | CPU seconds | its ÷ ours | whole, its ÷ ours | CER |")
    print("|---|---|---|---|---|---|---|---|---|")
    for program, its in times.items():
        cells = [program.name, program.setting]
        for kind in (walls, cpus, wholes):
            seconds = median(kind(its))
            cells += [f"{seconds:.2f}"] * (kind is not wholes) + [f"{audio / seconds:.1f}"] * (kind is walls)
            cells.append(ratio(kind(its), kind(ours)) if its is not ours else "1")
        print(f"| {' | '.join([*cells, error_rate(its[-1].texts, paths)])} |")


def print_slowdown(alone: Times, beside: Times) -> None:
    print("\n| program | | beside the loops ÷ alone | CPU, the same |\n|---|---|---|---|")
    for program, its in beside.items():
        before = alone[program]
        cells = [program.name, program.setting, *(ratio(kind(its), kind(before)) for kind in (walls, cpus))]
        print(f"| {' | '.join(cells)} |")


def compare(arguments: argparse.Namespace, model: Model) -> None:
    paths: list[Path] = arguments.recordings
    audio = 0.0
    for path in paths:
        with open_recording(path) as recording:
            audio += sum(len(block) for block in recording.blocks()) / SAMPLE_RATE
    numbers = [0, arguments.neighbours] if arguments.neighbours else [0]
    times: dict[int, Times] = {neighbours: {} for neighbours in numbers}
    print(f"{len(paths)} recordings, {audio:,.0f} s, {model.precision}, {usable_cores()} cores:\n")
    contenders = list(programs(arguments.environments, model))
    for answers in times.values():
        answers.update({program: [] for program in contenders})
    for number in range(arguments.rounds):
        forwards = number % 2 == 0
        for program in contenders[:: 1 if forwards else -1]:
            for neighbours in numbers[:: 1 if forwards else -1]:
                with busy_loops(neighbours):
                    times[neighbours][program].append(program.transcribe(paths))
    for neighbours, answers in times.items():
        print(f"\nBeside {neighbours} busy loops:\n" if neighbours else "")
        print_times(answers, paths, audio)
    if arguments.neighbours:
        print_slowdown(times[0], times[arguments.neighbours])


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--environments", type=Path)
    parser.add_argument("--precision", default="int8")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("environments").add_argument("folder", type=Path)
    whisper, sensevoice = commands.add_parser("whisper"), commands.add_parser("sensevoice")
    whisper.set_defaults(model=WHISPER_BASE.name)
    sensevoice.add_argument("model")
    for command in (whisper, sensevoice):
        command.add_argument("recordings", type=Path, nargs="+")
    arguments = parser.parse_args(command_line)
    if arguments.command == "environments":
        make_environments(arguments.folder)
    else:
        compare(arguments, find_model(arguments.model, arguments.precision))


def smoke(folder: Path) -> CommandLines:
    yield "--rounds", 1, "--neighbours", 1, "sensevoice", export_nano(folder), PAUSES
    if embedded.is_installed(WHISPER_BASE):
        yield "--rounds", 1, "whisper", ROOT / "samples" / "railway-station.flac"
    else:
        print(f"skipped: {WHISPER_BASE.name} is not installed")


if __name__ == "__main__":
    run_benchmark(main, smoke)
