"""Compare compiled models on this machine's NPU with the graphs they were made from, on real speech."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, WindowShape
from funasr_cli.callbacks import Tell
from funasr_cli.errors import (
    DeviceError,
    FunasrError,
    InputError,
    ModelError,
    NoAudioError,
    OutputError,
    reading,
    writing,
)
from funasr_cli.executors.ascend.acl import FIX
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.export.compare import CLEAR_LEAD, Agreement, agreement
from funasr_cli.files import sha256_of
from funasr_cli.models.model_yaml import MODEL_YAML, OMS, graph_metadata, read_model_yaml, record_om, verify_model_yaml
from funasr_cli.models.om_files import fitting_oms
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from funasr_cli.system.isolated import NoAnswer, run_isolated
from funasr_cli.walk import walk

MAX_WINDOWS = 20
"""Windows to compare, at most: five minutes of audio at 15 seconds each."""

MIN_CLEAR_AGREEMENT = 0.99
"""Required share of the clear frames, those in which the best label leads by a margin, with the same best label."""

COMPARE_TIMEOUT_S = 900.0
"""Seconds for one OM. Its windows take a few core-minutes; loading and voice detection take about one more."""

UNKNOWN_ORIGIN = f"{MODEL_YAML} does not record what it was made from"


@dataclass(frozen=True, slots=True)
class OmComparison:
    """What model.yaml keeps of a comparison; `milliseconds` is the median time of a run, copies included."""

    speech: str
    windows: int
    seconds: float
    frames: int
    argmax_agreement: float
    clear_agreement: float
    largest_difference: float
    milliseconds: float

    @property
    def passed(self) -> bool:
        return self.clear_agreement >= MIN_CLEAR_AGREEMENT

    def __str__(self) -> str:
        return (
            f"best label the same in {self.argmax_agreement:.2%} of {self.frames} frames, in "
            f"{self.clear_agreement:.2%} where it leads by more than {CLEAR_LEAD:g}; "
            f"log-probabilities within {self.largest_difference:g}; {self.milliseconds:g} ms a window"
        )


@dataclass(frozen=True, slots=True)
class _Compared:
    """The OM `name`, its comparison, how many OMs can be compared, and which cannot although they fit the NPU."""

    name: str
    check: OmComparison
    count: int
    left_out: Sequence[str]


def check_oms(folder: Path, audio: Path, say: Tell, tell: Tell) -> None:
    """Compare all OMs of the folder that fit this machine's NPU; `say` the results and write them to model.yaml.

    `audio` is a recording, or a folder: its first readable recordings are used. OMs that are not in model.yaml are
    skipped.

    Raises `DeviceError` if the NPU cannot be used, `ModelError` if no OM fits or a file is not the one in model.yaml,
    `NoAudioError` if there is no speech, `OutputError` if model.yaml is not writable, and `FunasrError` at the end if
    an OM disagrees.
    """
    tell(f"running up to {MAX_WINDOWS} windows of {audio} on NPU and CPU")
    failed, index, count = [], 0, 1
    while index < count:
        compared = _compare_apart(folder, audio, index)
        for name in compared.left_out if index == 0 else ():
            tell(f"{name}: skipped: {UNKNOWN_ORIGIN}")
        say(f"{compared.name}: {compared.check}")
        _write_down(folder, compared.name, compared.check)
        if not compared.check.passed:
            failed.append(compared.name)
        index, count = index + 1, compared.count
    if failed:
        raise FunasrError(
            f"results differ from the graph: {', '.join(failed)}",
            where=folder,
            hint=f"At least {MIN_CLEAR_AGREEMENT:.0%} of the clear frames must agree. Do not transcribe with this OM. "
            "Compile again with another precision (--precision must_keep_origin_dtype), or with another CANN.",
        )


def _write_down(folder: Path, name: str, check: OmComparison) -> None:
    facts = (read_model_yaml(folder) or {})[OMS][name]
    with writing(folder / MODEL_YAML, OutputError):
        record_om(folder, name, {**facts, "check": asdict(check)})


def _compare_apart(folder: Path, audio: Path, index: int) -> _Compared:
    """Compare in a separate process: the runtime starts only once per process, and may hang or crash it."""
    try:
        return run_isolated("funasr-check", COMPARE_TIMEOUT_S, _compare, folder.absolute(), audio.absolute(), index)
    except NoAnswer as error:
        raise DeviceError(error.what, hint=FIX) from error


def _compare(folder: Path, audio: Path, index: int) -> _Compared:
    """Compare the OM number `index` of those that can be compared."""
    can: list[Path] = []
    cannot: list[str] = []
    graphs: list[Path] = []

    def find(soc: str) -> Path:
        fitting = fitting_oms(folder, soc)
        known = (read_model_yaml(folder) or {}).get(OMS, {})
        can.extend(om for om in fitting if om.name in known)
        cannot.extend(om.name for om in fitting if om.name not in known)
        if not can:
            raise ModelError(UNKNOWN_ORIGIN, where=fitting[0], hint="Compile it again.")
        graphs.append(_graph_of(can[index]))
        return can[index]

    with closing(AscendExecutor(find, longest=0)) as npu:  # OMs made here have no free dimension
        recognizer = SenseVoiceRecognizer(folder, npu.inputs, npu.outputs, graph_metadata(folder))
        with closing(OnnxExecutor(graphs[0], precision="float32", threads=len(os.sched_getaffinity(0)))) as cpu:
            total, samples, times = Agreement(), 0, list[float]()
            for window in islice(_speech(audio, recognizer.window), MAX_WINDOWS):
                inputs = recognizer.prepare(window, Request())
                if not times:
                    npu.run(inputs)  # the first run loads kernels
                started = time.perf_counter()
                found = npu.run(inputs)
                times.append(time.perf_counter() - started)
                samples += len(window)
                total += agreement(found, cpu.run(inputs))
    if not times:
        raise NoAudioError("no readable recording with speech", where=audio)
    check = OmComparison(
        speech=audio.resolve().name,
        windows=len(times),
        seconds=round(samples / SAMPLE_RATE, 1),
        frames=total.frames,
        argmax_agreement=round(total.same / total.frames, 5),
        clear_agreement=round(total.same_clear / max(1, total.clear), 5),
        largest_difference=float(f"{total.difference:.2g}"),
        milliseconds=round(statistics.median(times) * 1000, 2),
    )
    return _Compared(can[index].name, check, len(can), cannot)


def _graph_of(om: Path) -> Path:
    """Return the graph that, by model.yaml, the OM was made from. Raises `ModelError` if either file has changed."""
    folder = om.parent
    try:
        made_from = (read_model_yaml(folder) or {})[OMS][om.name]["made_from"]
        graph, sha256 = folder / str(made_from["file"]), made_from["sha256"]
    except (TypeError, LookupError) as error:
        raise ModelError(f"does not record what {om.name} was made from", where=folder / MODEL_YAML) from error
    with reading(folder, ModelError):
        found = {path.name: sha256_of(path) for path in (om, graph)}
    verify_model_yaml(folder, found)
    if found[graph.name] != sha256:
        raise ModelError(f"made from a different {graph.name}", where=om, hint="Compile it again.")
    return graph


def _speech(audio: Path, length: float) -> Iterator[Samples]:
    """Yield windows of speech, at most `length` seconds each, from a recording or all readable ones of a folder."""
    below = (audio / place / file.name for place, files in walk(audio) for file in files)
    paths = sorted(below) if audio.is_dir() else [audio]
    silero = load_silero()
    for path in paths:
        try:
            with open_recording(path) as recording:
                detector = SpeechDetector(silero, VadOptions())
                for window in SpeechWindows(recording.blocks(), detector, WindowShape(length, overlap=0.0)):
                    yield window.samples
        except InputError:
            if not audio.is_dir():
                raise
