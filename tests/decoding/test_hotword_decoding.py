"""Decoding with hotwords: greedy decoding everywhere else; and what a small real model hears in noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.arrays import Samples
from funasr_cli.decoding.beam import search
from funasr_cli.decoding.candidates import Candidates, candidates_of_logits, candidates_of_topk
from funasr_cli.decoding.context import ContextGraph, Spelling
from funasr_cli.decoding.ctc import Emission, collapse
from funasr_cli.decoding.hotword_decoding import decode_with_hotwords
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.graph import TAG_FRAMES
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from funasr_cli.recognizers.spelling import Speller
from funasr_cli.recognizers.vocabulary import read_vocabulary
from tests.conftest import NANO
from tests.support.meetings import samples_of

SPOKEN = ("收缩", "大体", "专心", "报告", "结算")
NEVER_SPOKEN = (
    "学者", "空间", "相差", "比如", "大局", "性能", "一边", "外国", "快活", "推论", "上台", "一律", "交换", "胡子",
    "先后", "发起", "离开", "分批", "更换", "下面", "生态",
)  # fmt: skip
NOISE = 15.0
"""Decibels by which the speech is above it."""

PIECES = read_vocabulary(NANO)
SPEECH = samples_of(NANO / "words-with-pauses.flac")


def probs(*rows: Mapping[int, float]) -> Candidates:
    """Frames from the probabilities of their labels, best first."""
    log_probs = np.log([[*row.values(), 1e-9][:2] for row in rows]).astype(np.float32)
    return candidates_of_topk(log_probs, np.array([[*row, 0][:2] for row in rows]))


SUMS_TO_A_TOKEN = ({0: 0.6, 4: 0.4}, {0: 0.8, 4: 0.2}, {0: 1})
"""Greedy decoding finds nothing here, the search a token."""
AMBIGUOUS = ({3: 0.6, 2: 0.4}, {0: 1})
HOTWORD = ContextGraph([Spelling((1, 2))])


def test_greedy_decoding_stands_wherever_no_hotword_is_found() -> None:
    nothing = probs(*SUMS_TO_A_TOKEN, {1: 1}, {0: 1}, {3: 1}, {0: 1}, *SUMS_TO_A_TOKEN)
    assert [emission.token for emission in search(nothing, HOTWORD)] == [4, 1, 3, 4]
    assert decode_with_hotwords(nothing, HOTWORD) == collapse(nothing.path)
    hotword = probs(*SUMS_TO_A_TOKEN, {3: 1}, {0: 1}, {1: 1}, {0: 1}, *AMBIGUOUS, *SUMS_TO_A_TOKEN)
    assert [(emission.token, emission.first) for emission in decode_with_hotwords(hotword, HOTWORD)] == [
        (3, 3),
        (1, 5),
        (2, 7),
    ]


def test_what_the_search_finds_stands_from_the_blanks_before_a_hotword_to_those_behind_it() -> None:
    inside = probs({1: 1}, {0: 1}, {3: 0.6, 0: 0.4}, {0: 1}, {2: 1}, {0: 1}, {3: 1})
    assert [(emission.token, emission.first) for emission in decode_with_hotwords(inside, HOTWORD)] == [
        (1, 0),
        (2, 4),
        (3, 6),
    ]
    beside = probs({1: 1}, {2: 1}, *SUMS_TO_A_TOKEN)
    assert [(emission.token, emission.first) for emission in decode_with_hotwords(beside, HOTWORD)] == [
        (1, 0),
        (2, 1),
        (4, 2),
    ]


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.floats(2, 8))
def test_a_list_of_which_nothing_is_found_changes_nothing(seed: int, frames: int, spread: float) -> None:
    logits = np.random.default_rng(seed).normal(0, spread, (frames, 6)).astype(np.float32)
    context = ContextGraph([Spelling((1, 2, 9)), Spelling((3, 9), 100.0), Spelling((9,))])
    candidates = candidates_of_logits(logits)
    assert decode_with_hotwords(candidates, context) == collapse(candidates.path)


def heard(noises: Iterable[Samples]) -> list[Candidates]:
    """What the model gives for the same words with something added."""
    executor = OnnxExecutor(NANO / "model_quant.onnx", precision="int8", threads=1)
    recognizer = SenseVoiceRecognizer(NANO, executor.inputs, executor.outputs, executor.metadata)
    outputs = (executor.run(recognizer.prepare(SPEECH + noise, Request("zh"))) for noise in noises)
    return [candidates_of_logits(output["ctc_logits"][0, TAG_FRAMES:]) for output in outputs]


@pytest.fixture(scope="module")
def clear() -> Candidates:
    return heard([np.zeros_like(SPEECH)])[0]


@pytest.fixture(scope="module")
def noisy() -> list[Candidates]:
    """The words in three different noises."""
    spread = np.sqrt(np.mean(SPEECH**2)) / 10 ** (NOISE / 20)
    rngs = [np.random.default_rng(seed) for seed in range(3)]
    return heard(rng.normal(0, spread, len(SPEECH)).astype(np.float32) for rng in rngs)


def graph(words: Iterable[str]) -> ContextGraph:
    speller = Speller(PIECES)
    return ContextGraph(Spelling(pieces) for word in words for pieces in speller.spellings(word))


def texts(emissions: Iterable[list[Emission]]) -> list[str]:
    return ["".join(PIECES[emission.token] for emission in found) for found in emissions]


def test_most_of_the_words_that_noise_has_hidden_are_found(noisy: list[Candidates]) -> None:
    context = graph([*SPOKEN, *NEVER_SPOKEN])
    greedy, found = (
        texts(collapse(one.path) for one in noisy),
        texts(decode_with_hotwords(one, context) for one in noisy),
    )
    missed = [sum(word not in text for text in which for word in SPOKEN) for which in (greedy, found)]
    assert missed[0] >= 4
    assert missed[1] <= missed[0] // 2
    assert not any(word in text for text in found for word in NEVER_SPOKEN)


def test_words_that_nobody_says_change_nothing(noisy: list[Candidates]) -> None:
    context = graph(NEVER_SPOKEN)
    assert [decode_with_hotwords(one, context) for one in noisy] == [collapse(one.path) for one in noisy]


def test_a_word_that_is_found_stands_where_it_is_spoken(clear: Candidates, noisy: list[Candidates]) -> None:
    expected = places(collapse(clear.path))
    assert set(expected) == set(SPOKEN)
    for one in noisy:
        for word, found in places(decode_with_hotwords(one, graph(SPOKEN))).items():
            assert found == pytest.approx(expected[word], abs=2), word


def places(found: list[Emission]) -> dict[str, list[int]]:
    """The first frames of the characters of each spoken word that is there."""
    (text,) = texts([found])
    starts = {word: text.find(word) for word in SPOKEN}
    return {
        word: [emission.first for emission in found[start : start + len(word)]]
        for word, start in starts.items()
        if start >= 0
    }
