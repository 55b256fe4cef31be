"""The executor checks its inputs, and the same input gives the same output."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.audio.reader import open_recording
from funasr_cli.errors import ModelError
from funasr_cli.executors.base import Executor
from funasr_cli.executors.ctranslate2 import CTranslate2Executor
from funasr_cli.hotwords import Hotword
from funasr_cli.pipeline.window_runner import LocalGraphRunner, WindowRunner
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.whisper.recognizer import WhisperRecognizer
from tests.conftest import SAMPLES


@pytest.fixture(scope="module")
def executor(runner: WindowRunner) -> Executor:
    assert isinstance(runner.graph_runner, LocalGraphRunner)
    return runner.graph_runner.executor


@pytest.fixture(scope="module")
def inputs(runner: WindowRunner) -> Arrays:
    with open_recording(SAMPLES / "energy-report.flac") as recording:
        samples = np.concatenate(list(recording.blocks()))
    return runner.recognizer.prepare(samples, Request(None))


@pytest.fixture(scope="module")
def detected(executor: Executor, inputs: Arrays) -> Arrays:
    """The outputs without hotwords, with the language detected."""
    return executor.run(inputs)


@pytest.fixture(scope="module")
def named(runner: WindowRunner, executor: Executor, inputs: Arrays) -> Arrays:
    """The outputs without hotwords, with the language given."""
    prompt = runner.recognizer.prepare(np.zeros(160, np.float32), Request("en"))["prompt"]
    return executor.run({**inputs, "prompt": prompt})


def test_outputs_are_what_the_specs_say_and_repeat(executor: Executor, inputs: Arrays, detected: Arrays) -> None:
    second = executor.run(inputs)
    for spec in executor.outputs:
        spec.check(detected[spec.name])
        np.testing.assert_array_equal(detected[spec.name], second[spec.name])
    assert set(detected) == {spec.name for spec in executor.outputs}
    assert np.all(np.diff(detected["alignment"][:, 0]) >= 0)


def test_a_language_that_was_named_is_not_detected(detected: Arrays, named: Arrays) -> None:
    assert detected["languages"].size == 99
    assert named["languages"].size == 0


def test_only_what_belongs_to_the_language_stands_in_front(
    runner: WindowRunner, executor: Executor, inputs: Arrays, detected: Arrays, named: Arrays
) -> None:
    recognizer = WhisperRecognizer(runner.model.path, [Hotword("Annual Report on Energy")])
    samples = np.zeros(160, np.float32)
    contexts = recognizer.prepare(samples, Request())["contexts"].copy()
    contexts[list(recognizer.language_ids).index("<|en|>") + 1 :] = -1

    def generated(prompt: Arrays, contexts: np.ndarray) -> list[int]:
        found: list[int] = executor.run({**inputs, **prompt, "contexts": contexts})["generated"].tolist()
        return found

    english, chinese = ({"prompt": recognizer.prepare(samples, Request(code))["prompt"]} for code in ("en", "zh"))
    for prompt, without in (({}, detected), (english, named)):
        assert generated(prompt, contexts) != without["generated"].tolist()
    assert generated(chinese, contexts) == generated(chinese, contexts[:, :0])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "features",
            np.zeros((80, 2999), np.float32),
            r"'features': expected float32 \[80, 3000\], got float32 \[80, 2999\]",
        ),
        ("features", np.zeros((80, 3000)), r"'features': expected float32 .* got float64"),
        ("prompt", np.zeros((1, 3), np.int32), r"'prompt': expected int32 \[any\], got int32 \[1, 3\]"),
        ("speech", np.zeros(1), "expected the inputs .* got .*'speech'"),
    ],
)
def test_a_wrong_input_is_refused_by_name(
    executor: Executor, inputs: Arrays, name: str, value: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        executor.run({**inputs, name: value})


@pytest.fixture(scope="module")
def several(runner: WindowRunner, inputs: Arrays) -> list[Arrays]:
    """Four different windows of one kind; the language of the last one is given."""
    with open_recording(SAMPLES / "energy-report.flac") as recording:
        samples = np.concatenate(list(recording.blocks()))
    parts = (samples[:48_000], samples[48_000:], samples[16_000:])
    return [
        inputs,
        *(runner.recognizer.prepare(part, Request(None)) for part in parts[:2]),
        runner.recognizer.prepare(parts[2], Request("en")),
    ]


def test_a_batch_gives_each_window_what_it_gets_alone(executor: Executor, several: list[Arrays]) -> None:
    assert isinstance(executor, CTranslate2Executor)
    encoded = [executor.encode(window) for window in several]
    assert len({window.kind for window in encoded}) == 1
    for window, together, alone in zip(encoded, executor.generate(encoded), map(executor.run, several), strict=True):
        outputs = executor.align(window, together)
        assert set(outputs) == set(alone)
        for name, array in outputs.items():
            if name in ("score", "no_speech"):
                np.testing.assert_allclose(array, alone[name], rtol=1e-5, atol=1e-7)
            else:
                np.testing.assert_array_equal(array, alone[name], err_msg=name)


def test_windows_that_ctranslate2_cannot_join_are_of_two_kinds(
    runner: WindowRunner, executor: Executor, several: list[Arrays]
) -> None:
    assert isinstance(executor, CTranslate2Executor)
    recognizer = WhisperRecognizer(runner.model.path, [Hotword("Annual Report on Energy")])
    contexts = recognizer.prepare(np.zeros(160, np.float32), Request())["contexts"]
    windows = [executor.encode({**several[1], **context}) for context in ({}, {"contexts": contexts})]
    assert windows[0].kind != windows[1].kind
    with pytest.raises(ValueError, match="same position in all batches"):
        executor.generate(windows)


def test_a_window_that_cannot_be_generated_fails_alone(
    runner: WindowRunner, several: list[Arrays], executor: Executor
) -> None:
    prompt = several[3]["prompt"]
    without_start = {**several[3], "prompt": prompt[[1, 1, 2]]}
    recognizer = WhisperRecognizer(runner.model.path)
    batching = CTranslate2Executor(
        runner.model.path, mels=recognizer.mels, language_ids=recognizer.language_ids, end_id=recognizer.end_id,
        precision=runner.model.precision, threads=1, runs=1, max_batch=4,
    )  # fmt: skip
    with closing(batching), ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(batching.run, window) for window in (several[0], without_start, *several[1:3])]
        with pytest.raises(Exception, match="startoftranscript"):
            futures.pop(1).result()
        texts = [future.result()["generated"].tolist() for future in futures]
    assert texts == [executor.run(window)["generated"].tolist() for window in several[:3]]


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        CTranslate2Executor(tmp_path, mels=80, language_ids={}, end_id=1, precision="int8", threads=1, runs=1)


def test_a_spec_takes_any_size_where_it_says_so() -> None:
    TensorSpec("x", np.dtype(np.float32), (None, 2)).check(np.zeros((7, 2), np.float32))
