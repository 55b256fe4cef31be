"""SenseVoice in every dialect: the tensors it fills, and how it decodes scripted and real outputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import ModelError
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer

PIECES = [
    "<unk>",
    "<|zh|>",
    "<|HAPPY|>",
    "<|Speech|>",
    "<|withitn|>",
    "<|Laughter|>",
    "<|nospeech|>",
    "好",
    "▁yes",
    "。",
]
ZH, HAPPY, SPEECH, ITN, LAUGHTER, NOSPEECH, GOOD, YES, STOP = range(1, 10)
ROOM = 12
"""Frames of the static graphs used here, including tags."""


def spec(name: str, dtype: Any, *shape: int | None) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


FUNASR = [
    spec("speech", np.float32, None, None, 560),
    *(spec(name, np.int32, None) for name in ("speech_lengths", "language", "textnorm")),
]
SHERPA = [
    spec("x", np.float32, None, None, 560),
    *(spec(name, np.int32, None) for name in ("x_length", "language", "text_norm")),
]
SHERPA_OM = [spec("x", np.float32, 1, None, 560), spec("prompt", np.int32, 4)]
LOGITS = [spec("ctc_logits", np.float32, None, None, len(PIECES)), spec("encoder_out_lens", np.int32, None)]
TOPK = [
    spec("log_probs", np.float32, 1, ROOM, 3),
    spec("token_ids", np.int32, 1, ROOM, 3),
    spec("encoder_out_lens", np.int32, 1),
]
STATISTICS = {"neg_mean": ",".join(["-1"] * 560), "inv_stddev": ",".join(["0.5"] * 560)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokens.json").write_text(json.dumps(PIECES), encoding="utf-8")
    return tmp_path


def recognizer(
    folder: Path, inputs: Sequence[TensorSpec] = FUNASR, outputs: Sequence[TensorSpec] = LOGITS, **options: Any
) -> SenseVoiceRecognizer:
    return SenseVoiceRecognizer(folder, inputs, outputs, options.pop("metadata", STATISTICS), **options)


def logits(*labels: int, valid: int | None = None) -> Arrays:
    scores = np.zeros((1, len(labels), len(PIECES)), np.float32)
    scores[0, range(len(labels)), labels] = 10.0
    return {"ctc_logits": scores, "encoder_out_lens": np.array([valid or len(labels)], np.int32)}


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (FUNASR, {"speech": (1, 17, 560), "speech_lengths": [17], "language": [3], "textnorm": [14]}),
        (SHERPA, {"x": (1, 17, 560), "x_length": [17], "language": [3], "text_norm": [14]}),
        (SHERPA_OM, {"x": (1, 17, 560), "prompt": [3, 1, 2, 14]}),
    ],
)
def test_each_dialect_gets_its_own_tensors(folder: Path, inputs: list[TensorSpec], names: dict[str, Any]) -> None:
    prepared = recognizer(folder, inputs).prepare(np.zeros(16_000, np.float32), Request("zh"))
    assert set(prepared) == set(names)
    for name, expected in names.items():
        array = prepared[name]
        assert (array.shape if isinstance(expected, tuple) else array.tolist()) == expected
        assert array.dtype == (np.float32 if array.ndim == 3 else np.int32)


def test_normalisation_is_left_to_a_graph_that_has_it_inside(folder: Path) -> None:
    silence = np.log(2.0**-23)
    outside = recognizer(folder).prepare(np.zeros(16_000, np.float32), Request())["speech"]
    inside = recognizer(folder, SHERPA_OM).prepare(np.zeros(16_000, np.float32), Request())["x"]
    assert inside == pytest.approx(silence)
    assert outside == pytest.approx((silence - 1) / 2)


def test_metadata_has_the_last_word_on_ids(folder: Path) -> None:
    other = recognizer(folder, metadata={**STATISTICS, "lang_auto": "40", "without_itn": "41"}, itn=False)
    prepared = other.prepare(np.zeros(16_000, np.float32), Request())
    assert (prepared["language"].tolist(), prepared["textnorm"].tolist()) == ([40], [41])


def test_tags_become_language_emotion_and_events_and_never_text(folder: Path) -> None:
    outputs = logits(ZH, HAPPY, SPEECH, ITN, 0, GOOD, GOOD, LAUGHTER, YES, STOP)
    hypothesis = recognizer(folder).decode(outputs, Request())
    assert [token.text for token in hypothesis.tokens] == ["好", " yes。"]
    assert (hypothesis.language, hypothesis.emotion, hypothesis.events) == ("zh", "happy", ("speech", "laughter"))
    assert hypothesis.languages == {"zh": pytest.approx(1.0, abs=1e-3)}


def test_tokens_stand_where_funasr_has_them(folder: Path) -> None:
    first, second = recognizer(folder).decode(logits(ZH, HAPPY, SPEECH, ITN, GOOD, 0, 0, YES, YES), Request()).tokens
    assert (first.start, first.end) == pytest.approx((0.0, 0.03))
    assert (second.start, second.end) == pytest.approx((0.15, 0.27))
    assert first.confidence == pytest.approx(1.0, abs=1e-3)


def test_what_lies_behind_the_valid_frames_is_not_read(folder: Path) -> None:
    hypothesis = recognizer(folder).decode(logits(ZH, HAPPY, SPEECH, ITN, GOOD, 0, YES, valid=6), Request())
    assert [token.text for token in hypothesis.tokens] == ["好"]


def test_the_best_k_read_as_logits_do(folder: Path) -> None:
    labels = [ZH, HAPPY, SPEECH, ITN, GOOD, 0, YES, 0, 0, GOOD, 0, 0]
    ids = np.array([[[label, (label + 1) % 10, (label + 2) % 10] for label in labels]], np.int32)
    log_probs = np.broadcast_to(np.log([0.8, 0.1, 0.05]).astype(np.float32), ids.shape)
    outputs = {"token_ids": ids, "log_probs": log_probs, "encoder_out_lens": np.array([9], np.int32)}
    static = [spec("speech", np.float32, 1, ROOM - 4, 560), *FUNASR[1:]]
    best = recognizer(folder, static, TOPK)
    assert best.window == pytest.approx((ROOM - 4) * 0.06)
    assert [(token.text, token.confidence) for token in best.decode(outputs, Request()).tokens] == [
        ("好", pytest.approx(0.8)),
        (" yes", pytest.approx(0.8)),
    ]


def test_no_language_is_heard_where_nobody_speaks(folder: Path) -> None:
    hypothesis = recognizer(folder).decode(logits(NOSPEECH, HAPPY, SPEECH, ITN, 0), Request())
    assert (hypothesis.tokens, hypothesis.language, hypothesis.languages) == ((), None, {})


def test_a_graph_that_is_none_of_sensevoice_is_named(folder: Path) -> None:
    with pytest.raises(
        ModelError, match=r"not a SenseVoice graph: its inputs are audio, its outputs ctc_logits, encoder_out_lens"
    ):
        recognizer(folder, [spec("audio", np.float32, None)], LOGITS)


def test_a_vocabulary_of_another_model_is_refused(folder: Path) -> None:
    (folder / "tokens.json").write_text('["<unk>"]', encoding="utf-8")
    with pytest.raises(ModelError, match="different models: 1 and 10 tokens"):
        recognizer(folder)


def test_without_metadata_the_statistics_lie_beside_the_graph(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"am\.mvn: cannot be read"):
        recognizer(folder, metadata={})


def test_a_vocabulary_is_measured_by_metadata_too(folder: Path) -> None:
    static = [spec("speech", np.float32, 1, ROOM - 4, 560), *FUNASR[1:]]
    with pytest.raises(ModelError, match="different models: 10 and 11 tokens"):
        recognizer(folder, static, TOPK, metadata={**STATISTICS, "vocab_size": "11"})


@pytest.mark.parametrize(
    ("key", "value"), [("lang_zh", "abc"), ("with_itn", ""), ("neg_mean", "1,x"), ("inv_stddev", "1")]
)
def test_metadata_that_make_no_sense_are_the_models_fault(folder: Path, key: str, value: str) -> None:
    with pytest.raises(ModelError, match="the graph's metadata"):
        recognizer(folder, metadata={**STATISTICS, key: value})


def test_scores_that_are_no_numbers_are_an_error_and_not_silence(folder: Path) -> None:
    outputs = logits(ZH, HAPPY, SPEECH, ITN, GOOD)
    with pytest.raises(ModelError, match="scores that are not finite"):
        recognizer(folder).decode({**outputs, "ctc_logits": outputs["ctc_logits"] * np.nan}, Request())


def test_a_fixed_graph_that_cannot_tell_padding_from_speech_is_refused(folder: Path) -> None:
    fixed = [spec("x", np.float32, 1, 250, 560), spec("prompt", np.int32, 4)]
    with pytest.raises(ModelError, match="would be taken for speech"):
        recognizer(folder, fixed, [spec("logits", np.float32, 1, 254, 10)])
