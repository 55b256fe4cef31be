"""Mutation testing: which small mistakes in a module would no test notice?

    python -m tests.support.mutants [--jobs N] [--sample N] [--minutes N] [MODULE...]

Each mutant (see `mutations`) of a module replaces it in a copy of the checkout while the module's tests run, up to the
first failure. They run in a process forked from one that has already imported slow packages. Mutants that no test
notices are printed, except those explained in mutants.txt; if there are any, the exit code is 1.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import importlib.util
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from tests.support.mutations import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "funasr_cli"
EXPLAINED = Path(__file__).with_name("mutants.txt")

CRITICAL: Mapping[str, str] = {
    "audio/clock": "audio/test_clock",
    "audio/container": "audio/test_container audio/test_clock audio/test_float_scale audio/test_joined",
    "audio/spans": "audio/test_windows",
    "audio/vad": "audio/test_vad",
    "audio/windows": "audio/test_windows",
    "decoding/beam": "decoding/test_beam",
    "decoding/context": "decoding/test_context decoding/test_beam",
    "executors/ascend/buffers": "executors/ascend",
    "executors/ascend/device": "executors/ascend executors/test_selection",
    "executors/ascend/executor": "executors/ascend",
    "executors/ascend/model": "executors/ascend",
    "executors/failover": "executors/test_failover executors/ascend/test_failing_calls",
    "files": "test_files",
    "models/store": "models/test_store models/test_search models/test_om_files",
    "pool/client": "pool/test_client",
    "pool/coordinator": "pool/test_coordinator",
    "pool/crash_policy": "pool/test_crash_policy",
    "pool/device_server": "pool/test_device_server",
    "pool/device_supervisor": "pool/test_device_supervisor pool/test_coordinator",
    "pool/dispatcher": "pool/test_dispatcher",
    "pool/scheduler": "pool/test_scheduler",
    "pool/worker_supervisor": "pool/test_coordinator",
    "store/aliases": "store/test_aliases scenarios/test_inexact_disks",
    "store/connection": "store/test_database scenarios/test_again",
    "store/database": "store/test_database scenarios/test_again",
    "store/entries": "store/test_output_store store/test_sinks scenarios/test_again",
    "store/matching": "scenarios/test_two_paths scenarios/test_again",
    "store/naming": "store/test_naming scenarios/test_again",
    "store/output_files": "store/test_output_store store/test_sinks scenarios/test_again",
    "store/output_store": "store/test_output_store store/test_sinks scenarios/test_again",
    "store/overwritten": "scenarios/test_inexact_disks",
    "store/planner": "scenarios/test_again scenarios/test_inexact_disks",
    "store/preflight": "store/test_preflight cli/test_unwritable",
    "store/sinks": "store/test_output_store store/test_sinks scenarios/test_again",
    "store/writer": "store/test_writer",
    "text/hotword_correction": "text/test_hotword_correction text/test_hotword_correction_in_sentences",
    "text/merge": "text/test_merge",
    "text/pauses": "text/test_pauses",
    "text/sentences": "text/test_sentences text/test_abbreviations",
    "text/subtitle_lines": "text/test_subtitle_lines text/test_cues",
    "text/timing": "text/test_timing",
}
"""The modules in which a silent mistake hurts most, and the tests under tests/ that must notice it."""

Task: TypeAlias = tuple[str, Mutant]
Results: TypeAlias = "multiprocessing.SimpleQueue[tuple[str, Mutant, bool] | BaseException | None]"

PATIENCE_S = 20.0
"""Added to three times the duration of the tests: a mutant that waits for ever is noticed too."""


class Bench:
    """A copy of the checkout in which tests run, one mutant at a time."""

    def __init__(self, folder: Path) -> None:
        self._root = folder
        for name in ("funasr_cli", "tests", "samples", "scripts", "benchmarks", "docs"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in filter(Path.is_file, ROOT.iterdir()):
            shutil.copy2(file, folder)
        compileall.compile_dir(folder, quiet=2)

    def seconds(self, module: str) -> float:
        """Return how long the module's tests take without a mistake. Raises `RuntimeError` if they fail."""
        begun = time.monotonic()
        if not self._passes(module, 600.0):
            raise RuntimeError(f"the tests of {module} fail without any mistake")
        return time.monotonic() - begun

    def survives(self, module: str, mutant: Mutant, limit: float) -> bool:
        """Whether no test notices the mutant within `limit` seconds."""
        path = self._root / "funasr_cli" / f"{module}.py"
        honest = path.read_text(encoding="utf-8")
        path.write_text(mutant.source, encoding="utf-8")
        # Python would confuse two sources with the same second and size.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        try:
            return self._passes(module, limit)
        finally:
            path.write_text(honest, encoding="utf-8")

    def _passes(self, module: str, limit: float) -> bool:
        child = multiprocessing.get_context("fork").Process(target=self._run_tests, args=(module,))
        child.start()
        child.join(limit)
        assert child.pid is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # including processes that the tests have started
        child.join()
        return child.exitcode == 0

    def _run_tests(self, module: str) -> None:
        os.setsid()
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
        for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "funasr_cli")]:
            del sys.modules[name]
        os.chdir(self._root)
        os.environ["PYTHONPATH"] = sys.path[0] = str(self._root)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        import pytest

        names = CRITICAL[module].split()
        paths = [f"tests/{name}" if Path(f"tests/{name}").is_dir() else f"tests/{name}.py" for name in names]
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={self._root}/tmp", *paths]))


def explained() -> set[str]:
    """Return the mutants whose survival mutants.txt explains: a line each, its reason indented below it."""
    lines = EXPLAINED.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith((" ", "#"))}


def look_for_survivors(tasks: Sequence[Task], until: float, results: Results) -> None:
    """Try mutants, module by module, until the monotonic clock reaches `until`; None in `results` marks the end."""
    try:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            bench, limits = Bench(Path(folder) / "checkout"), dict[str, float]()
            for module, mutant in tasks:
                if time.monotonic() > until:
                    break
                if module not in limits:
                    limits[module] = 3 * bench.seconds(module) + PATIENCE_S
                results.put((module, mutant, bench.survives(module, mutant, limits[module])))
        results.put(None)
    except BaseException as error:
        results.put(error)


def main(command_line: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="e.g. store/planner; all critical ones by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--sample", type=int, help="try only this many mutants, always the same ones")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no mutant after this time")
    options = parser.parse_args(command_line)
    tasks = [
        (module, mutant)
        for module in options.modules or CRITICAL
        for mutant in mutants((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    ]
    if options.sample:
        chosen = random.Random(0).sample(range(len(tasks)), min(options.sample, len(tasks)))
        tasks = [tasks[index] for index in sorted(chosen)]
    context = multiprocessing.get_context("fork")
    results: Results = context.SimpleQueue()
    until, known = time.monotonic() + 60 * options.minutes, explained()
    import_what_takes_long()
    for job in range(options.jobs):
        part = tasks[job * len(tasks) // options.jobs : (job + 1) * len(tasks) // options.jobs]
        context.Process(target=look_for_survivors, args=(part, until, results)).start()
    tried, survivors, running = 0, 0, options.jobs
    unheard = {line for line in known if line.partition(":")[0] in {module for module, _ in tasks}}
    while running:
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        if result is None:
            running -= 1
            continue
        module, mutant, survived = result
        tried += 1
        if survived:
            unheard.discard(f"{module}: {mutant.name}")
        if survived and f"{module}: {mutant.name}" not in known:
            survivors += 1
            print(f"{module}.py:{mutant.line}: {mutant.name}", flush=True)
    if tried == len(tasks) and not options.sample:
        for line in sorted(unheard):
            print(f"explained, but noticed or gone: {line}")
    print(f"{tried} of {len(tasks)} mutants tried; {survivors} survived without an explanation")
    return 1 if survivors else 0


def import_what_takes_long() -> None:
    """Import slow packages before forking; not our own, which change, nor plugins, which pytest imports itself."""
    for name in ("av", "ctranslate2", "numpy", "onnx", "onnxruntime", "pytest", "rich.live", "soundfile", "sqlite3"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
