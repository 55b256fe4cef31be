"""What the engine costs beyond the bare runs of a graph, and how it distributes work.

    python benchmarks/pipeline.py engine MODEL RECORDING...      bare executor against the whole pipeline
    python benchmarks/pipeline.py front RECORDING...             one worker against two; the device takes no time
    python benchmarks/pipeline.py device RECORDING               how busy simulated devices of 10 ms a window are
    python benchmarks/pipeline.py overhead RECORDING             CPU time of a file beyond that of its audio
    python benchmarks/pipeline.py packing RECORDING...           how full windows are

Each prints one table. `--rounds N` repeats the measurement; variants take turns, so that a change of the machine's load
affects all of them, and ratios are medians of the rounds' ratios. A simulated device sleeps, and returns the stored
outputs of a real window, cut to length. Nothing else is simulated, except that `device` also reads its windows from
memory.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from smoke import NANO, NO_PAUSES, PAUSES, CommandLines, parser_of, run_benchmark

from funasr_cli.arrays import SAMPLE_RATE, Arrays, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, Window, WindowShape
from funasr_cli.callbacks import Tell
from funasr_cli.executors.base import Executor, Fetch
from funasr_cli.executors.placement import Placement
from funasr_cli.hotwords import Hotword
from funasr_cli.inputs.scan import scan
from funasr_cli.models.store import Model, find_model
from funasr_cli.pipeline import registry as families
from funasr_cli.pipeline.registry import Family, GraphInfo, load_executor, load_recognizer
from funasr_cli.pool.pool import open_pool
from funasr_cli.pool.sizing import PoolSize, cpu_pool_size, describe_layout
from funasr_cli.recognizers.base import Hypothesis, Recognizer, Request
from funasr_cli.recognizers.sensevoice.graph import TAG_FRAMES
from funasr_cli.reporting.display import Display
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
from funasr_cli.store.planner import PlanRules
from funasr_cli.store.sinks import FileSink
from funasr_cli.system.deadline import Deadline
from tests.support.processes import cpu_seconds, descendants

LENGTH = 15.0
SHORT = 5.0


class SimulatedExecutor:
    """A device that takes some time for each window, one after another, while its caller sleeps.

    It returns the outputs of one real window, cut to the length of the window it got.
    """

    def __init__(self, graph: GraphInfo, milliseconds: float, outputs: Arrays) -> None:
        self.inputs, self.outputs, self.device = graph.inputs, graph.outputs, "simulated"
        self._seconds = milliseconds / 1000
        self._answer = outputs
        self._free_at = 0.0

    def begin(self, inputs: Arrays) -> Fetch:
        self._free_at = over = max(self._free_at, time.perf_counter()) + self._seconds

        def fetch() -> tuple[Arrays, float]:
            time.sleep(max(0.0, over - time.perf_counter()))
            frames = min(inputs["speech"].shape[1] + TAG_FRAMES, self._answer["ctc_logits"].shape[1])
            logits = self._answer["ctc_logits"][:, :frames]
            return {"ctc_logits": logits, "encoder_out_lens": np.array([frames], np.int32)}, self._seconds

        return fetch

    def run(self, inputs: Arrays) -> Arrays:
        return self.begin(inputs)()[0]

    def close(self) -> None: ...


class ReplayingRecognizer:
    """A real recogniser that returns windows prepared in advance."""

    def __init__(self, recognizer: Recognizer, inputs: Arrays) -> None:
        self._recognizer = recognizer
        self._inputs = inputs
        self.window, self.writes_numbers = recognizer.window, True

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        return self._inputs

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        return self._recognizer.decode(outputs, request)


def _stored(model: Model, prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays that `simulated` has put into the file of weights."""
    arrays = dict(np.load(model.weights))
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _simulated_executor(model: Model, placement: Placement, tell: Tell) -> tuple[Executor, GraphInfo]:
    executor, graph = load_executor(find_model(str(NANO)), Placement(1), tell)
    executor.close()
    return SimulatedExecutor(graph, np.load(model.weights)["milliseconds"].item(), _stored(model, "output:")), graph


def _real_recognizer(model: Model, graph: GraphInfo, itn: bool, hotwords: Sequence[Hotword]) -> Recognizer:
    return load_recognizer(find_model(str(NANO)), graph, itn=itn, hotwords=hotwords)


def _replaying_recognizer(model: Model, graph: GraphInfo, itn: bool, hotwords: Sequence[Hotword]) -> Recognizer:
    return ReplayingRecognizer(_real_recognizer(model, graph, itn, hotwords), _stored(model, "input:"))


def _no_warnings(model: Model, hotwords: Sequence[Hotword]) -> tuple[str, ...]:
    return ()


def _chinese(model: Model) -> frozenset[str]:
    return frozenset({"zh"})


# every child process imports this file, and so knows these families
families.FAMILIES["simulated"] = Family(_simulated_executor, _real_recognizer, _no_warnings, _chinese)
families.FAMILIES["replayed"] = Family(_simulated_executor, _replaying_recognizer, _no_warnings, _chinese)


@dataclass(frozen=True)
class Result:
    """Seconds from the first job to the last, how long devices ran in that time, and CPU seconds of all processes."""

    seconds: float
    busy: float
    cpu: float
    audio: float


Reader = Callable[[Path], None]


def run(
    paths: Sequence[Path], model: Model, pool_size: PoolSize, settings: Settings, read: Reader | None = None
) -> Result:
    """Transcribe with the batch engine into a temporary folder; `read` may look at it before it is removed."""
    with tempfile.TemporaryDirectory() as out:
        run_info = RunInfo(model.name, "", "cpu", "benchmark", fingerprint(settings, model))
        with open_store(Path(out), beside=False, wait=False, tell=print) as store:
            jobs = store.jobs(
                scan(list(map(str, paths)), None).sources, PlanRules(run_info.fingerprint, settings.formats)
            )
            sinks = [FileSink(store, job, settings, run_info) for job in jobs]
            stats = RunStats()
            reporter = Reporter(Display(io.StringIO()), stats)
            with open_pool(pool_size, store, model, settings, reporter, lambda: None, window_timeout=300) as pool:
                pool.wait_until_ready()
                everybody = [os.getpid(), *descendants(os.getpid())]
                before, started = cpu_seconds(everybody), time.perf_counter()
                pool.run(sinks, Deadline(None), None)
                seconds = time.perf_counter() - started
                cpu = cpu_seconds(everybody) - before
            assert stats.done + stats.empty == len(paths), str(stats)
            if read is not None:
                read(Path(out))
            return Result(seconds, stats.busy, cpu, stats.audio)


def windows_of(path: Path, length: float) -> list[Window]:
    with open_recording(path) as recording:
        detector = SpeechDetector(load_silero(), VadOptions())
        return list(SpeechWindows(recording.blocks(), detector, WindowShape(length)))


def simulated(family: str, recording: Path, folder: Path, milliseconds: float) -> Model:
    """Make a model for a simulated device; a file in `folder` has a full window's inputs and outputs (small model)."""
    model = find_model(str(NANO))
    executor, graph = load_executor(model, Placement(1), print)
    recognizer = load_recognizer(model, graph, itn=True)
    window = max(windows_of(recording, LENGTH), key=lambda window: len(window.samples))
    inputs = recognizer.prepare(window.samples, Request())
    arrays = {f"input:{name}": value for name, value in inputs.items()}
    arrays |= {f"output:{name}": value for name, value in executor.run(inputs).items()}
    arrays["milliseconds"] = np.array(milliseconds)
    stored = folder / "window.npz"
    np.savez(stored, **arrays)  # type: ignore[arg-type]
    return Model(family, family, folder, stored, "float32", "", "")


def engine(arguments: argparse.Namespace) -> None:
    """Compare bare runs of the same windows, one at a time and in parallel, with the run from file to file."""
    model = find_model(arguments.model, arguments.precision)
    size = cpu_pool_size(model, None, len(arguments.recordings))
    (side_by_side,) = size.placements
    layouts = [Placement(side_by_side.runs * side_by_side.threads), side_by_side]
    loaded = [load_executor(model, placement, print) for placement in layouts]
    recognizer = load_recognizer(model, loaded[0][1], itn=True)
    windows = [window for path in arguments.recordings for window in windows_of(path, recognizer.window)]
    inputs = [recognizer.prepare(window.samples, Request("zh")) for window in windows]
    names = [*(f"bare, {describe_layout(placement)}" for placement in layouts), f"whole pipeline, {size}"]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    whole: list[Result] = []
    for number in range(arguments.rounds + 1):
        for name, (executor, _), placement in zip(names[:2], loaded, layouts, strict=True):
            started, cpu = time.perf_counter(), time.process_time()
            with ThreadPoolExecutor(placement.windows) as threads:
                list(threads.map(executor.run, inputs))
            taken[name].append((time.perf_counter() - started, time.process_time() - cpu))
        whole.append(run(arguments.recordings, model, size, Settings(language="zh")))
        taken[names[2]].append((whole[-1].seconds, whole[-1].cpu))
        if not number:  # the first round plans memory
            whole.clear()
            taken = {name: [] for name in names}
    print(f"{model.name}, {loaded[0][1].device}, {len(windows)} windows, {whole[0].audio:.0f} s of audio\n")
    print("| | seconds | ÷ side by side | CPU seconds | ÷ side by side | × real time |\n|---|---|---|---|---|---|")
    for name in names:
        cells = []
        for part in range(2):
            ratios = (one[part] / base[part] for one, base in zip(taken[name], taken[names[1]], strict=True))
            cells += [f"{median(one[part] for one in taken[name]):.1f}", f"{median(ratios):.3f}"]
        speed = whole[0].audio / median(one[0] for one in taken[name])
        print(f"| {' | '.join([name, *cells, f'{speed:.1f}'])} |")


def front(arguments: argparse.Namespace) -> None:
    """Run everything except the device, in one worker and in two."""
    with tempfile.TemporaryDirectory() as folder:
        model = simulated("simulated", arguments.recordings[0], Path(folder), 0.0)
        rounds = [
            [run(arguments.recordings, model, PoolSize(workers, (Placement(1),)), Settings()) for workers in (1, 2)]
            for _ in range(arguments.rounds)
        ]
    print("| workers | × real time | against one | CPU seconds an hour of audio |\n|---|---|---|---|")
    for index, workers in enumerate((1, 2)):
        speed = median(results[index].audio / results[index].seconds for results in rounds)
        ratio = median(results[0].seconds / results[index].seconds for results in rounds)
        cpu = median(3600 * results[index].cpu / results[index].audio for results in rounds)
        print(f"| {workers} | {speed:.0f} | {ratio:.2f} | {cpu:.1f} |")


def device(arguments: argparse.Namespace) -> None:
    """Replay windows from memory: nothing is decoded, detected or prepared."""
    print("| devices | ms a window | windows | busy | against one |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        model = simulated("replayed", arguments.recording, Path(folder), arguments.milliseconds)
        paths = []
        for number in range(8):
            path = Path(folder) / f"{number}.wav"
            soundfile.write(path, np.zeros(round(SAMPLE_RATE * arguments.seconds), np.float32), SAMPLE_RATE)
            paths.append(path)
        first = 0.0
        for devices in (1, 2):
            results = [
                run(paths, model, PoolSize(arguments.workers, (Placement(1),) * devices), Settings(vad=None))
                for _ in range(arguments.rounds)
            ]
            seconds = median(result.seconds for result in results)
            busy = median(result.busy / result.seconds / devices for result in results)
            first = first or seconds
            count = round(results[0].busy / (arguments.milliseconds / 1000))
            print(f"| {devices} | {arguments.milliseconds:g} | {count} | {busy:.1%} | {first / seconds:.2f} |")


def overhead(arguments: argparse.Namespace) -> None:
    """Run the same audio in files of five seconds and in long ones."""
    audio = arguments.files * SHORT
    with open_recording(arguments.recording) as recording:
        samples = np.concatenate(list(recording.blocks()))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model = simulated("simulated", arguments.recording, Path(folder), 0.0)
        for count in (arguments.files, arguments.long_files):
            seconds = audio / count
            place = Path(folder) / str(count)
            place.mkdir()
            size = round(seconds * SAMPLE_RATE)
            for number in range(count):
                soundfile.write(
                    place / f"{number:04}.wav",
                    np.take(samples, range(number * size, (number + 1) * size), mode="wrap"),
                    SAMPLE_RATE,
                )
            results = [
                run(sorted(place.iterdir()), model, PoolSize(2, (Placement(1),)), Settings())
                for _ in range(arguments.rounds)
            ]
            rows.append((count, seconds, median(r.cpu for r in results), median(r.seconds for r in results)))
    print("| files | of | CPU, all processes | wall | CPU a file beyond the long ones' |\n|---|---|---|---|---|")
    for count, seconds, cpu, wall in rows:
        beyond = f"{1000 * (cpu - rows[-1][2]) / count:.2f} ms" if count != rows[-1][0] else ""
        print(f"| {count} | {seconds:.0f} s | {cpu:.1f} s | {wall:.1f} s | {beyond} |")


def packing(arguments: argparse.Namespace) -> None:
    """Print the share of the windows that is filled with detected speech."""
    print("| recording | windows | filled |\n|---|---|---|")
    for path in arguments.recordings:
        windows = windows_of(path, LENGTH)
        speech = sum(len(window.samples) for window in windows)
        print(f"| {path.stem} | {len(windows)} | {speech / (len(windows) * LENGTH * SAMPLE_RATE):.3f} |")


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)

    def command(do: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        sub = commands.add_parser(do.__name__)
        sub.set_defaults(do=do)
        sub.add_argument("--rounds", type=int, default=3)
        return sub

    one = command(engine)
    one.add_argument("model")
    one.add_argument("recordings", type=Path, nargs="+")
    one.add_argument("--precision", default="int8")
    for do in (front, packing):
        command(do).add_argument("recordings", type=Path, nargs="+")
    one = command(overhead)
    one.add_argument("recording", type=Path)
    one.add_argument("--files", type=int, default=2000)
    one.add_argument("--long-files", type=int, default=20)
    one = command(device)
    one.add_argument("recording", type=Path)
    one.add_argument("--seconds", type=float, default=2600.0)
    one.add_argument("--milliseconds", type=float, default=10.0)
    one.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args(command_line)
    arguments.do(arguments)


def smoke(folder: Path) -> CommandLines:
    yield "engine", NANO, PAUSES, "--rounds", 1
    yield "front", PAUSES, NO_PAUSES, "--rounds", 1
    yield "device", NO_PAUSES, "--rounds", 1, "--seconds", 30, "--milliseconds", 1
    yield "overhead", NO_PAUSES, "--rounds", 1, "--files", 8, "--long-files", 1
    yield "packing", NO_PAUSES, "--rounds", 1


if __name__ == "__main__":
    run_benchmark(main, smoke)
