"""Other programs on the same audio, weights and cores, beside us: time by the clock, and processor time.

    python benchmarks/peers.py environments FOLDER               make the peers' environments, with pip
    python benchmarks/peers.py --environments FOLDER sensevoice MODEL RECORDING...      sherpa-onnx, funasr-onnx
    python benchmarks/peers.py --environments FOLDER whisper RECORDING...               faster-whisper; whisper-base

From files to texts. Ours is `funasr-cli transcribe`, with record and files; a peer goes from file to file and writes
none. sherpa-onnx and funasr-onnx get the windows of our voice detection, which is in their time; faster-whisper has
its own, set as ours. A peer comes as installed, and with the settings that were found fastest (contenders.py). Each
program is a process of its own, which has loaded its model before. Without `--environments` all run in this
environment; what is not installed is left out.

They take turns, `--rounds` times, forwards and backwards; ratios are medians of the rounds' ratios, with the least and
the largest in parentheses. Above 1: we are faster. `--neighbours N` does each round a second time beside N busy loops,
one a core. CER stands beside it if RECORDING.json ({"words": [{"text"}]}) or RECORDING.txt lies beside the recording.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
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
"""What each holds beside the peers' newest releases: the last ONNX Runtime whose uint8 products are fast."""

PEERS = ("sherpa-onnx", "librosa", "kaldi-native-fbank", "jieba", "scipy")
"""sherpa-onnx, and what funasr-onnx needs; faster-whisper is among our own requirements."""


def make_environments(folder: Path) -> None:
    """With our requirements, which read the recordings; funasr-onnx's own pins would take NumPy back to 1.26."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    ours = setup["options"]["install_requires"].split()
    for name, pinned in ENVIRONMENTS.items():
        EnvBuilder(with_pip=True, symlinks=True).create(folder / name)
        pip = [str(folder / name / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, *ours, *pinned, *PEERS], check=True)
        subprocess.run([*pip, "--no-deps", "funasr-onnx"], check=True)


class Process:
    """A contender in its process, started and answering."""

    def __init__(self, python: Path, program: str, setting: str, model: Model) -> None:
        script = Path(__file__).with_name("contenders.py")
        self._process = subprocess.Popen(
            [python, script, program, setting, model.path, model.precision],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # As the command line has it: NumPy's threads would spin beside the model's.
            env={"OPENBLAS_NUM_THREADS": "1", **os.environ},
        )
        self._program = program

    def read(self) -> dict[str, object]:
        """Its next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self._program} ended"
        return dict(json.loads(line))

    def transcribe(self, paths: Sequence[Path]) -> Answer:
        """What it takes for these recordings."""
        assert self._process.stdin is not None
        print(json.dumps([str(path.resolve()) for path in paths]), file=self._process.stdin, flush=True)
        answer = Answer(**self.read())  # type: ignore[arg-type]
        assert all(text.strip() for text in answer.texts), f"{self._program} gave no text"
        return answer

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many programs that compute without end, one a core."""
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


def start(stack: ExitStack, folder: Path | None, model: Model) -> Iterator[tuple[tuple[str, str], Process]]:
    """All programs for the model, in every setting, one after the other; each has run once, which plans its memory."""
    for program, kind in PROGRAMS[model.family].items():
        for name, setting in kind.settings.items():
            ours = folder is None or program == "funasr-cli"
            python = Path(sys.executable) if ours or folder is None else folder / setting.folder / "bin" / "python"
            process = Process(python, program, name, model)
            stack.callback(process.close)
            first = process.read()
            if "missing" in first:
                print(f"left out: {program} {name}, for {first['missing']} is not installed")
                continue
            process.transcribe([PAUSES])
            print(f"- {f'{program} {name}'.strip()}: {first['runtime']}, {how(program, setting)}", flush=True)
            yield (program, name), process


def how(program: str, setting: Setting) -> str:
    """The setting in words."""
    return "sized by itself" if program == "funasr-cli" else str(setting)


def reference(path: Path) -> str | None:
    """What is said in a recording, if that is known."""
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
    """The median of the ratios, the least and the largest."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


Times = dict[tuple[str, str], list[Answer]]


def walls(answers: Sequence[Answer]) -> list[float]:
    return [answer.wall for answer in answers]


def cpus(answers: Sequence[Answer]) -> list[float]:
    return [answer.cpu for answer in answers]


def print_times(times: Times, paths: Sequence[Path], audio: float) -> None:
    """Ours is the first."""
    ours = next(iter(times.values()))
    print("| program | | seconds | × real time | its ÷ ours | CPU seconds | its ÷ ours | CER |")
    print("|---|---|---|---|---|---|---|---|")
    for (program, setting), its in times.items():
        wall, cpu = median(walls(its)), median(cpus(its))
        against = (ratio(walls(its), walls(ours)), ratio(cpus(its), cpus(ours))) if its is not ours else ("1", "1")
        cells = [program, setting, f"{wall:.2f}", f"{audio / wall:.1f}", against[0], f"{cpu:.2f}", against[1]]
        print(f"| {' | '.join([*cells, error_rate(its[-1].texts, paths)])} |")


def print_slowdown(alone: Times, beside: Times) -> None:
    print("\n| program | | beside the loops ÷ alone | CPU, the same |\n|---|---|---|---|")
    for name, its in beside.items():
        cells = [*name, ratio(walls(its), walls(alone[name])), ratio(cpus(its), cpus(alone[name]))]
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
    with ExitStack() as stack:
        processes = dict(start(stack, arguments.environments, model))
        for answers in times.values():
            answers.update({name: [] for name in processes})
        for number in range(arguments.rounds):
            forwards = number % 2 == 0
            for name, process in list(processes.items())[:: 1 if forwards else -1]:
                for neighbours in numbers[:: 1 if forwards else -1]:
                    with busy_loops(neighbours):
                        times[neighbours][name].append(process.transcribe(paths))
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
        print(f"left out: {WHISPER_BASE.name} is not installed")


if __name__ == "__main__":
    run_benchmark(main, smoke)
