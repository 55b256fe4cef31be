"""How busy one and two simulated NPUs are if windows come from memory.

    python benchmarks/ascend.py FOLDER [--milliseconds 10] [--windows 500] [--rounds 5]

FOLDER is the output of `funasr-cli export` or `freeze`; the simulated compiler compiles its static graph. A simulated
run takes the given time and computes nothing; its copies are real. `one by one` and `two begun` call the executor
repeatedly in one process, the second like device processes do: the next window begins before the previous one is
fetched. `device processes` are those of `funasr-cli transcribe`: they take windows from the slots, as many ahead as the
pool's dispatcher gives them. Busy is the time of the runs, as simulated devices count it, over the elapsed time.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing.connection import wait
from pathlib import Path
from statistics import median

import numpy as np
from smoke import CommandLines, export_nano, parser_of, run_benchmark

from funasr_cli.arrays import Arrays
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.placement import Placement
from funasr_cli.export.atc import plan
from funasr_cli.models.store import Model
from funasr_cli.pool.dispatcher import Dispatcher, windows_at
from funasr_cli.pool.process_handles import DeviceHandle
from funasr_cli.pool.protocol import DeviceReady, WindowDone
from funasr_cli.pool.shared_memory import Slots
from funasr_cli.recognizers.sensevoice.graph import MAX_FRAMES
from tests.simulator.fixtures import PYTHON, compile_om

SOC = "Ascend310P3"


def window_of(executor: AscendExecutor) -> Arrays:
    """Return a full window of noise."""
    rng = np.random.default_rng(0)
    sizes = {spec.name: [size or 1 for size in spec.shape] for spec in executor.inputs}
    return {
        spec.name: rng.standard_normal(sizes[spec.name], np.float32)
        if spec.dtype == np.float32
        else np.full(sizes[spec.name], 250 if "length" in spec.name else 3, spec.dtype)
        for spec in executor.inputs
    }


def alone(om: Path, windows: int, begun: int) -> tuple[float, Arrays]:
    """Return the seconds for `windows` runs of one executor, `begun` of them at a time, and the window that was run."""
    with closing(AscendExecutor(lambda _: om, longest=MAX_FRAMES)) as executor:
        window = window_of(executor)
        started = time.perf_counter()
        fetches = deque(executor.begin(window) for _ in range(begun))
        for number in range(windows):
            fetches.popleft()()
            if number + begun < windows:
                fetches.append(executor.begin(window))
        return time.perf_counter() - started, window


def device_processes(model: Model, devices: int, windows: int, window: Arrays) -> float:
    """Return the seconds for `windows` windows on several devices."""
    count = devices * windows_at(1)
    slots = Slots(count)
    for slot in range(count):
        slots.write_inputs(slot, window)
    dispatcher: Dispatcher[str, DeviceHandle] = Dispatcher(
        count, lambda *_: None, lambda device, run: device.child.send(run), time.monotonic
    )
    processes = [DeviceHandle.start(slots, model, Placement(1, npu), 0.0) for npu in range(devices)]
    try:
        for process in processes:
            assert isinstance(process.child.pipe.recv(), DeviceReady)
            dispatcher.add_device(process, 1)
        by_pipe = {process.child.pipe: process for process in processes}
        for _ in range(count):
            dispatcher.request_slot("us")
        started = time.perf_counter()
        for slot in range(count):
            dispatcher.submit("us", slot)
        answered = 0
        while answered < windows:
            for pipe in wait(list(by_pipe)):
                process = by_pipe[pipe]  # type: ignore[index]
                answer = process.child.pipe.recv()
                assert isinstance(answer, WindowDone)
                answered += 1
                dispatcher.complete(process, answer)
                dispatcher.submit("us", answer.slot)
        return time.perf_counter() - started
    finally:
        for process in processes:
            process.child.join()
        slots.close()


def time_in_runs(reports: Path) -> float:
    """Return the seconds that devices ran, over all processes that have reported since the last call."""
    paths = list(reports.glob("process-*.json"))
    assert paths, "no process has reported"
    seconds = sum(json.loads(path.read_text(encoding="utf-8"))["busy"] for path in paths)
    for path in paths:
        path.unlink()
    return float(seconds)


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--milliseconds", type=float, default=10.0)
    parser.add_argument("--windows", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(command_line)
    conversion = plan(arguments.folder, soc=SOC, precision="allow_mix_precision")
    with tempfile.TemporaryDirectory() as folder:
        machine = Path(folder) / "machine.json"
        machine.write_text(
            json.dumps({"socs": [SOC] * 2, "run_ms": arguments.milliseconds, "compute": False, "folder": folder}),
            encoding="utf-8",
        )
        os.environ["ACL_SIMULATOR"] = str(machine)
        sys.path.insert(0, str(PYTHON))  # inherited by child processes
        om = compile_om(conversion.graph, Path(folder) / f"m_15s_{SOC}.om", conversion.shape)
        model = Model("m", "sensevoice", arguments.folder, om, "om", "", "")
        count = arguments.windows
        rounds: list[list[tuple[float, float]]] = []
        for _ in range(arguments.rounds):
            rounds.append([])
            for begun in (1, 2):
                with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as another:  # one runtime per process
                    seconds, window = another.submit(alone, om, count, begun).result()
                rounds[-1].append((seconds, time_in_runs(Path(folder))))
            for devices in (1, 2):
                seconds = device_processes(model, devices, count, window)
                rounds[-1].append((seconds, time_in_runs(Path(folder)) / devices))
    print(f"| | {arguments.milliseconds:g} ms a window: busy | against one device process |\n|---|---|---|")
    names = ("executor, one by one", "executor, two begun", "one device process", "two device processes")
    for index, name in enumerate(names):
        busy = median(times[index][1] / times[index][0] for times in rounds)
        gain = median(times[2][0] / times[index][0] for times in rounds)
        print(f"| {name} | {busy:.1%} | {gain:.2f} |")


def smoke(folder: Path) -> CommandLines:
    yield export_nano(folder), "--milliseconds", 1, "--windows", 10, "--rounds", 1


if __name__ == "__main__":
    run_benchmark(main, smoke)
