"""The whole pipeline returns the text and the times of FunASR's AutoModel, and other programs read the same graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.window_runner import load_window_runner
from funasr_cli.recognizers.base import Hypothesis, Request
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from funasr_cli.scoring.align import Counts, align
from tests.parity.conftest import Exported
from tests.support.meetings import samples_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # warnings of the peers

Words = list[tuple[Path, str]]
FRAME = 0.06


@pytest.fixture(scope="module")
def hypotheses(nano: Exported, words: Words) -> list[Hypothesis]:
    """Our hypotheses from the graph with free dimensions."""
    runner = load_window_runner(find_model(str(nano.folder)), Placement(2), itn=False)
    found = []
    for path, _ in words:
        outputs = runner.graph_runner.executor.run(runner.recognizer.prepare(samples_of(path), Request()))
        found.append(runner.recognizer.decode(outputs, Request()))
    return found


@pytest.fixture(scope="module")
def references(auto_model: Any, words: Words) -> list[dict[str, Any]]:
    """FunASR's results, without VAD: text with its tags, and times of the tokens in ms."""
    return [
        auto_model.generate(input=samples_of(path), language="auto", use_itn=False, output_timestamp=True)[0]
        for path, _ in words
    ]


def text_of(hypothesis: Hypothesis) -> str:
    return "".join(token.text for token in hypothesis.tokens)


def without_tags(text: str) -> str:
    return text.rsplit("|>", 1)[-1].strip()


def character_error_rate(texts: list[str], words: Words) -> float:
    counts = sum((align(word, text).counts for text, (_, word) in zip(texts, words, strict=True)), Counts())
    assert counts.rate is not None
    return counts.rate


def test_single_words_are_recognised_as_by_funasr(
    hypotheses: list[Hypothesis], references: list[dict[str, Any]], words: Words
) -> None:
    ours, theirs = list(map(text_of, hypotheses)), [without_tags(reference["text"]) for reference in references]
    assert abs(character_error_rate(ours, words) - character_error_rate(theirs, words)) <= 0.001
    assert np.mean([one == other for one, other in zip(ours, theirs, strict=True)]) > 0.99


def test_tags_become_language_emotion_and_events(
    hypotheses: list[Hypothesis], references: list[dict[str, Any]]
) -> None:
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        tags = {tag.strip("<|>").lower() for tag in reference["text"].split("><")}
        assert hypothesis.language is None or f"{hypothesis.language}" in reference["text"]
        assert (hypothesis.emotion or "emo_unknown") in reference["text"].lower()
        assert all(event in reference["text"].lower() for event in hypothesis.events), tags


def test_token_times_are_funasrs(hypotheses: list[Hypothesis], references: list[dict[str, Any]]) -> None:
    compared = 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        if text_of(hypothesis) != without_tags(reference["text"]) or reference["text"].count("<|") != 4:
            continue  # FunASR assigns times from the fourth token on, whether or not that was a tag
        times = [(token.start * 1000, token.end * 1000) for token in hypothesis.tokens]
        assert np.abs(np.array(times) - np.array(reference["timestamp"])).max() <= FRAME * 1000
        compared += len(times)
    assert compared > 200


def test_funasr_onnx_reads_the_same_graph(nano: Exported, hypotheses: list[Hypothesis], words: Words) -> None:
    pytest.importorskip("funasr_onnx", exc_type=ImportError)
    from funasr_onnx import SenseVoiceSmall

    model = SenseVoiceSmall(str(nano.folder), batch_size=1, quantize=False)
    for (path, _), hypothesis in list(zip(words, hypotheses, strict=True))[:60]:
        (text,) = model(samples_of(path), language=["auto"], textnorm=["woitn"])
        assert without_tags(text) == text_of(hypothesis)


def test_sherpa_onnx_reads_the_same_graph(nano: Exported, words: Words) -> None:
    pytest.importorskip("sherpa_onnx", exc_type=ImportError)
    from sherpa_onnx import OfflineRecognizer

    folder = nano.folder
    theirs = OfflineRecognizer.from_sense_voice(
        str(folder / "model.onnx"), str(folder / "tokens.txt"), num_threads=2, use_itn=False, language="auto"
    )
    executor = OnnxExecutor(folder / "model.onnx", precision="float32", threads=2)
    ours = SenseVoiceRecognizer(folder, executor.inputs, executor.outputs, executor.metadata, itn=False)
    compared = 0
    for path, _ in words[:60]:
        samples = samples_of(path)
        stream = theirs.create_stream()
        stream.accept_waveform(16_000, samples)
        theirs.decode_stream(stream)
        outputs = executor.run(ours.prepare(samples, Request()))
        tags = outputs["ctc_logits"][0, :4].argmax(axis=-1)
        if len(set(tags.tolist())) == 4 and (tags != 0).all():  # it drops four tokens, not four frames
            assert stream.result.text.replace(" ", "") == text_of(ours.decode(outputs, Request())).replace(" ", "")
            compared += 1
    assert compared > 30
