"""Prefix beam search: without hotwords, with them, and what they must never do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from funasr_cli.decoding.beam import search
from funasr_cli.decoding.candidates import candidates_of_logits, candidates_of_topk
from funasr_cli.decoding.context import ContextGraph, Spelling, bonus
from funasr_cli.decoding.ctc import Emission, best_path_of_logits, best_path_of_topk, collapse
from tests.support.exact_search import earned, log_probs_of_texts, prefix_beam_search, text_of, topk

SEEDS = st.integers(0, 2**32 - 1)
SPREADS = st.floats(0.5, 6)
HOTWORD = st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple)
HOTWORDS = st.dictionaries(HOTWORD, st.sampled_from([0.3, 1.0, 2.0]), max_size=5)


def scores(seed: int, frames: int, labels: int, spread: float) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, spread, (frames, labels)).astype(np.float32)


def probs(*rows: Mapping[int, float]) -> NDArray[np.float32]:
    """Logits of frames from the probabilities of some labels; the others have next to none."""
    table = np.full((len(rows), 10), 1e-9)
    for row, given_ in zip(table, rows, strict=True):
        row[list(given_)] = list(given_.values())
    return np.log(table / table.sum(axis=1, keepdims=True)).astype(np.float32)


def graph(*words: Sequence[int], weight: float = 1.0) -> ContextGraph:
    return ContextGraph(Spelling(word, weight) for word in words)


def tokens(emissions: list[Emission]) -> list[int]:
    return [emission.token for emission in emissions]


def text(logits: NDArray[np.float32], context: ContextGraph | None = None) -> list[int]:
    return tokens(search(candidates_of_logits(logits), context))


@given(SEEDS, st.integers(0, 40), SPREADS)
def test_one_text_without_hotwords_is_greedy_decoding(seed: int, frames: int, spread: float) -> None:
    logits = scores(seed, frames, 8, spread)
    assert tuple(tokens(search(candidates_of_logits(logits), width=1))) == text_of(logits.argmax(axis=1).tolist())
    assert search(candidates_of_logits(logits), width=1) == collapse(best_path_of_logits(logits))
    assert search(candidates_of_topk(*topk(logits, 5)), width=1) == collapse(best_path_of_topk(*topk(logits, 5)))


def test_one_text_is_kept_with_all_its_alignments_where_hotwords_are_looked_for() -> None:
    """Behind the token, blank and the token again have 0.58 together, the other one 0.42."""
    candidates = candidates_of_logits(probs({1: 1}, {2: 0.42, 0: 0.33, 1: 0.25}))
    assert tokens(search(candidates, width=1)) == [1, 2]
    assert tokens(search(candidates, graph((3, 4)), width=1)) == [1]


@given(SEEDS, st.integers(0, 40), st.integers(1, 20))
def test_where_speech_is_clear_a_wide_search_is_greedy_decoding(seed: int, frames: int, width: int) -> None:
    logits = np.zeros((frames, 8), np.float32)
    logits[range(frames), np.random.default_rng(seed).integers(0, 8, frames)] = 6.0
    candidates = candidates_of_logits(logits)
    assert search(candidates, graph((1, 2), (3, 4, 5)), width) == collapse(candidates.path)


@pytest.mark.parametrize(("labels", "most"), [(4, 5), (2, 9)], ids=["several tokens", "one token again and again"])
@given(seed=SEEDS, frames=st.integers(0, 9), spread=st.floats(0.5, 3))
def test_the_most_probable_text_of_all_is_found(seed: int, frames: int, spread: float, labels: int, most: int) -> None:
    logits = scores(seed, min(frames, most), labels, spread)
    expected, lead = best_of(log_probs_of_texts(logits))
    assume(lead > 1e-6)
    assert tokens(search(candidates_of_logits(logits, math.inf), width=1000)) == list(expected)


@given(SEEDS, st.integers(0, 5), st.floats(0.5, 3), HOTWORDS)
def test_the_best_text_with_its_complete_hotwords_is_found(
    seed: int, frames: int, spread: float, hotwords: dict[tuple[int, ...], float]
) -> None:
    logits = scores(seed, frames, 4, spread)
    expected, lead = best_of(
        {text: log_prob + earned(text, hotwords) for text, log_prob in log_probs_of_texts(logits).items()}
    )
    assume(lead > 1e-6)
    context = ContextGraph(Spelling(*item) for item in hotwords.items())
    assert tokens(search(candidates_of_logits(logits, math.inf), context, width=1000)) == list(expected)


@settings(max_examples=200)
@given(SEEDS, st.integers(4, 16), st.floats(0.5, 2), HOTWORDS, st.integers(1, 6), st.sampled_from([2, 3, 4]))
def test_a_narrow_beam_keeps_the_best_and_nothing_else(
    seed: int, frames: int, spread: float, hotwords: dict[tuple[int, ...], float], width: int, k: int
) -> None:
    """In TopK, which drops tokens that hotwords may go on with, and with frames in which blank is sure."""
    logits = scores(seed, frames, 4, spread)
    logits[:, 0] += np.random.default_rng(seed).choice([0, 12], frames, p=[0.8, 0.2])
    context = ContextGraph(Spelling(*item) for item in hotwords.items())
    candidates = candidates_of_topk(*topk(logits, k))
    expected, are_apart = prefix_beam_search(candidates.frames, context, width)
    assume(are_apart)
    assert tokens(search(candidates, context, width)) == list(expected)


@given(SEEDS, st.integers(0, 5), st.floats(0.5, 3), st.sets(HOTWORD, max_size=5), st.sampled_from([1.0, 100.0]))
def test_hotwords_that_cannot_be_completed_change_nothing(
    seed: int, frames: int, spread: float, beginnings: set[tuple[int, ...]], weight: float
) -> None:
    candidates = candidates_of_logits(scores(seed, frames, 4, spread), math.inf)
    context = graph(*((*beginning, 9) for beginning in beginnings), weight=weight)
    assert search(candidates, context, width=1000) == search(candidates, width=1000)


def best_of(texts: Mapping[tuple[int, ...], float]) -> tuple[tuple[int, ...], float]:
    """The best text, and by how much it leads."""
    first, *others = sorted(texts, key=lambda text: texts[text], reverse=True)
    return first, texts[first] - texts[others[0]] if others else math.inf


def test_many_fair_alignments_may_win_over_the_best_one() -> None:
    """Blank twice has 0.48, the token at the first place, at the second or at both has 0.52."""
    candidates = candidates_of_logits(probs({0: 0.6, 1: 0.4}, {0: 0.8, 1: 0.2}))
    assert search(candidates, width=1) == []
    assert search(candidates) == [(1, 0, 0, pytest.approx(math.log(0.4), abs=1e-6))]


AMBIGUOUS = probs({1: 1}, {0: 1}, {3: 0.6, 2: 0.4}, {0: 1}, {4: 1})


def test_a_hotword_wins_over_what_was_heard_a_little_better() -> None:
    assert text(AMBIGUOUS) == [1, 3, 4]
    assert search(candidates_of_logits(AMBIGUOUS), graph((1, 2))) == [
        (1, 0, 0, pytest.approx(0, abs=1e-6)),
        (2, 2, 2, pytest.approx(math.log(0.4), abs=1e-6)),
        (4, 4, 4, pytest.approx(0, abs=1e-6)),
    ]


def test_its_weight_decides_over_how_much() -> None:
    logits = probs({1: 1}, {0: 1}, {3: 0.95, 2: 0.05})
    assert bonus(2, 1) < math.log(0.95 / 0.05) < bonus(2, 2)
    assert text(logits, graph((1, 2))) == [1, 3]
    assert text(logits, graph((1, 2), weight=2)) == [1, 2]


@pytest.mark.parametrize("weight", [1, 100])
def test_a_hotword_is_never_forced_into_speech_that_it_is_not_in(weight: float) -> None:
    logits = probs({1: 1}, {0: 1}, {3: 0.99, 2: 0.01}, {0: 0.99, 4: 0.01}, {5: 0.995, 4: 0.005})
    context = graph((1, 2), (3, 4), (3, 4, 5), (4,), weight=weight)
    assert text(logits, context) == [1, 3, 5]


@pytest.mark.parametrize("weight", [1, 100])
def test_the_beginnings_of_many_heavy_hotwords_do_not_push_out_the_text(weight: float) -> None:
    heard = {1: 0.5, **dict.fromkeys(range(2, 10), 0.05)}
    logits = probs(heard, {0: 1}, heard, {0: 1}, heard)
    context = graph(*[(first, second, 9, 9, 9) for first in range(2, 10) for second in range(2, 10)], weight=weight)
    assert text(logits, context) == [1, 1, 1]


def test_the_longer_of_two_nested_hotwords_may_win_and_the_shorter_need_not() -> None:
    context = graph((1, 2), (1, 2, 4, 5))
    assert text(probs({1: 1}, {3: 0.6, 2: 0.4}, {4: 1}, {5: 1}), context) == [1, 2, 4, 5]
    assert text(probs({1: 1}, {3: 0.6, 2: 0.4}, {6: 1}), context) == [1, 2, 6]
    assert text(probs({1: 1}, {2: 1}, {6: 0.6, 4: 0.4}, {7: 1}), context) == [1, 2, 6, 7]


def test_a_token_twice_needs_a_blank_between() -> None:
    context = graph((1, 1))
    assert text(probs({1: 1}, {1: 1}), context) == [1]
    assert text(probs({1: 1}, {1: 0.6, 0: 0.4}, {1: 1}), context) == [1, 1]


def test_a_text_becomes_the_one_with_its_last_token_again_only_behind_a_blank() -> None:
    """Of the eight ways through the three frames, those to the token once have 0.52, those to it twice 0.48."""
    assert text(probs({1: 1}, *[{1: 0.6, 0: 0.4}] * 3)) == [1]


def test_a_hotword_goes_on_with_a_token_that_topk_has_dropped_where_it_may_be_as_good_as_the_last() -> None:
    log_probs = np.log([[0.9, 0.05], [0.3, 0.2]]).astype(np.float32)
    ids = np.array([[1, 0], [3, 4]], np.int32)
    found = search(candidates_of_topk(log_probs, ids), graph((1, 2)))
    assert found == [(1, 0, 0, pytest.approx(math.log(0.9))), (2, 1, 1, pytest.approx(math.log(0.2)))]


def test_it_does_not_where_the_last_is_out_of_the_question_nor_begin_with_one() -> None:
    log_probs = np.log([[0.9, 0.05], [0.9, 0.001], [0.3, 0.2]]).astype(np.float32)
    ids = np.array([[1, 0], [3, 4], [5, 6]], np.int32)
    assert tokens(search(candidates_of_topk(log_probs, ids), graph((1, 2), (7,), (7, 8), weight=100))) == [1, 3, 5]


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_silence_is_no_text(frames: int) -> None:
    logits = np.zeros((frames, 10), np.float32)
    logits[:, 0] = 9
    assert search(candidates_of_logits(logits), graph((1, 2))) == []
