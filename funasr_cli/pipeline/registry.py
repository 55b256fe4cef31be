"""What to load for each model family: the executor in the process of the device, the recogniser in any process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from funasr_cli.arrays import TensorSpec
from funasr_cli.callbacks import Tell
from funasr_cli.errors import DeviceError
from funasr_cli.executors.base import Executor
from funasr_cli.executors.failover import CPU_TAKES_OVER, FailoverExecutor
from funasr_cli.executors.placement import WHISPER_BATCH, Placement
from funasr_cli.hotwords import Hotword
from funasr_cli.models.model_yaml import graph_metadata
from funasr_cli.models.store import COMPILED, Model, cpu_twin
from funasr_cli.recognizers.base import Recognizer
from funasr_cli.settings.fingerprint import recognition_part
from funasr_cli.unicode_ranges import is_han

if TYPE_CHECKING:
    from funasr_cli.executors.onnx import OnnxExecutor


@dataclass(frozen=True, slots=True)
class GraphInfo:
    """Description of a loaded graph: all that a recogniser needs, so that it can run in another process."""

    device: str
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    metadata: Mapping[str, str]


def load_executor(model: Model, placement: Placement, tell: Tell) -> tuple[Executor, GraphInfo]:
    """Load the graph; `tell` is called with messages about its device.

    Raises `ModelError` if the graph is damaged, `DeviceError` if the device cannot be used.
    """
    return FAMILIES[model.family].executor(model, placement, tell)


def load_recognizer(
    model: Model, graph: GraphInfo, *, itn: bool = True, hotwords: Sequence[Hotword] = ()
) -> Recognizer:
    """Load the recogniser for a graph of this model. Raises `ModelError` if a file beside the graph is missing."""
    return FAMILIES[model.family].recognizer(model, graph, itn, hotwords)


def hotword_warnings(model: Model, hotwords: Sequence[Hotword]) -> tuple[str, ...]:
    """Warnings about hotwords that the model cannot use. Raises `ModelError` if its vocabulary cannot be read."""
    return FAMILIES[model.family].warnings(model, hotwords) if hotwords else ()


def languages_of(model: Model) -> frozenset[str]:
    """The languages that the model supports. Raises `ModelError` if the model does not list them."""
    return FAMILIES[model.family].languages(model)


def recognized_with(settings: str, model: Model) -> str:
    """The part of a `fingerprint` that recognition by the model depends on."""
    return recognition_part(settings, writes_numbers=FAMILIES[model.family].writes_numbers)


# The runtime of each family is imported only on use: the other one would take a second and tens of megabytes.


def _whisper_executor(model: Model, placement: Placement, tell: Tell) -> tuple[Executor, GraphInfo]:
    from funasr_cli.executors.ctranslate2 import CTranslate2Executor
    from funasr_cli.recognizers.whisper.recognizer import WhisperRecognizer

    recognizer = WhisperRecognizer(model.path)
    executor = CTranslate2Executor(
        model.path,
        mels=recognizer.mels,
        language_ids=recognizer.language_ids,
        end_id=recognizer.end_id,
        precision=model.precision,
        threads=placement.threads,
        runs=placement.runs,
        max_batch=placement.batch,
    )
    return executor, GraphInfo(executor.device, executor.inputs, executor.outputs, {})


def _whisper_recognizer(model: Model, graph: GraphInfo, itn: bool, hotwords: Sequence[Hotword]) -> Recognizer:
    """Load Whisper's recogniser. Whisper itself decides on punctuation and numbers, so `itn` has no effect."""
    from funasr_cli.recognizers.whisper.recognizer import WhisperRecognizer

    return WhisperRecognizer(model.path, hotwords)


def _sensevoice_executor(model: Model, placement: Placement, tell: Tell) -> tuple[Executor, GraphInfo]:
    if placement.npu is not None:
        return _sensevoice_on_npu(model, placement, placement.npu, tell)
    if model.precision == COMPILED:  # an NPU was disabled, and the CPU takes over
        model = cpu_twin(model)
    executor = _sensevoice_on_cpu(model, placement)
    return executor, GraphInfo(executor.device, executor.inputs, executor.outputs, executor.metadata)


def _sensevoice_on_cpu(model: Model, placement: Placement) -> OnnxExecutor:
    from funasr_cli.executors.onnx import OnnxExecutor
    from funasr_cli.recognizers.sensevoice.graph import LENGTHS

    return OnnxExecutor(
        model.weights, precision=model.precision, threads=placement.threads, runs=placement.runs, lengths=LENGTHS
    )


def _sensevoice_on_npu(model: Model, placement: Placement, npu: int, tell: Tell) -> tuple[Executor, GraphInfo]:
    from funasr_cli.executors.ascend.executor import AscendExecutor
    from funasr_cli.recognizers.sensevoice.graph import MAX_FRAMES

    with ExitStack() as opened:
        spare = None
        if placement.fallback:  # loaded now, so that it is ready if the NPU fails during the night
            twin = cpu_twin(model)
            spare = _sensevoice_on_cpu(twin, placement)
            opened.callback(spare.close)
        executor: Executor
        try:
            ascend = AscendExecutor(lambda _: model.weights, longest=MAX_FRAMES, npu=npu, time_limit=placement.limit)
        except DeviceError as error:
            if spare is None:
                raise
            tell(f"{error.what}; {CPU_TAKES_OVER}")
            executor = spare
        else:
            opened.callback(ascend.close)
            executor = FailoverExecutor(ascend, spare, tell)
        opened.pop_all()
    return executor, GraphInfo(executor.device, executor.inputs, executor.outputs, graph_metadata(model.path))


def _sensevoice_recognizer(model: Model, graph: GraphInfo, itn: bool, hotwords: Sequence[Hotword]) -> Recognizer:
    from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer

    return SenseVoiceRecognizer(model.path, graph.inputs, graph.outputs, graph.metadata, itn=itn, hotwords=hotwords)


def _sensevoice_warnings(model: Model, hotwords: Sequence[Hotword]) -> tuple[str, ...]:
    from funasr_cli.recognizers.spelling import Speller
    from funasr_cli.recognizers.vocabulary import read_vocabulary

    speller = Speller(read_vocabulary(model.path))
    unspellable = (word for word in hotwords if not speller.spellings(word.text))
    return tuple(f"{word.where}: the model cannot spell {word.text}" for word in unspellable)


def _sensevoice_languages(_: Model) -> frozenset[str]:
    from funasr_cli.recognizers.sensevoice.graph import LANGUAGES

    return LANGUAGES


def _whisper_languages(model: Model) -> frozenset[str]:
    from funasr_cli.recognizers.whisper.languages import languages_of

    return languages_of(model.path)


def _whisper_warnings(model: Model, hotwords: Sequence[Hotword]) -> tuple[str, ...]:
    from funasr_cli.recognizers.whisper.files import read_table
    from funasr_cli.recognizers.whisper.prompt import choose, in_letters

    chinese = not all(in_letters(word.text) for word in hotwords)
    chosen, _ = choose(read_table(model.path), hotwords, unspaced=chinese)
    if len(chosen) == len(hotwords):
        return ()
    left = set(hotwords) - set(chosen)
    by_sound = sum(is_han(word.text) for word in left)
    few = f"only {len(chosen)} of {len(hotwords)} hotwords fit into the prompt of {model.name}"
    which = "by weight, then words in letters, then in list order, so list the most important first"
    rest = f"of the others, {by_sound} in Chinese characters are still corrected by their Mandarin sound"
    idle = f", and {len(left) - by_sound} have no effect" if len(left) > by_sound else ""
    return (f"{few}: {which}; {rest}{idle}",)


@dataclass(frozen=True, slots=True)
class Family:
    """A model family: how to load its executor and recogniser, its warnings about hotwords, and its languages.

    `preload` are modules that workers need; they are imported once, before the first worker starts. A run on a CPU
    processes up to `max_batch` windows at once if that is faster. `writes_numbers` is the same as its recogniser's.
    """

    executor: Callable[[Model, Placement, Tell], tuple[Executor, GraphInfo]]
    recognizer: Callable[[Model, GraphInfo, bool, Sequence[Hotword]], Recognizer]
    warnings: Callable[[Model, Sequence[Hotword]], tuple[str, ...]]
    languages: Callable[[Model], frozenset[str]]
    preload: tuple[str, ...] = ()
    max_batch: int = 1
    writes_numbers: bool = False


FAMILIES = {
    "whisper": Family(
        _whisper_executor,
        _whisper_recognizer,
        _whisper_warnings,
        _whisper_languages,
        preload=("funasr_cli.recognizers.whisper.recognizer",),
        max_batch=WHISPER_BATCH,
    ),
    "sensevoice": Family(
        _sensevoice_executor,
        _sensevoice_recognizer,
        _sensevoice_warnings,
        _sensevoice_languages,
        preload=("funasr_cli.recognizers.sensevoice.recognizer",),
        writes_numbers=True,
    ),
}
