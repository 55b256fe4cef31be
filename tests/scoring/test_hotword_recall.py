"""Occurrences of listed words: recognised, missed, or inserted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.scoring.align import align
from funasr_cli.scoring.hotword_recall import HotwordCounts, HotwordScore, HotwordScorer, text_of
from funasr_cli.scoring.read import Piece


def score(reference: str, hypothesis: str, *words: str) -> HotwordScore:
    return HotwordScorer(words).score(text_of([Piece(reference, None)]), text_of([Piece(hypothesis, None)]))


RIGHT, MISSED, FALSE = HotwordCounts(1, 1, 1, 0), HotwordCounts(1, 0, 0, 0), HotwordCounts(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "word", "expected"),
    [
        pytest.param("推进乡村振兴战略", "推进乡村振兴战略", "乡村振兴", RIGHT, id="right"),
        pytest.param("推进乡村振兴战略", "推进乡村振新战略", "乡村振兴", MISSED, id="wrong in one character"),
        pytest.param("推进乡村振兴战略", "推进战略", "乡村振兴", MISSED, id="left out"),
        pytest.param("推进乡村振新战略", "推进乡村振兴战略", "乡村振兴", FALSE, id="in the place of another word"),
        pytest.param("推进战略", "推进乡村振兴战略", "乡村振兴", FALSE, id="where nothing was said"),
        pytest.param("碳中和以后再谈", "以后再谈碳中和", "碳中和", MISSED + FALSE, id="at another place"),
        pytest.param("谈碳中和", "谈碳中和碳中和", "碳中和", RIGHT + FALSE, id="once too often"),
        pytest.param("碳中和碳中和吧", "碳中和吧", "碳中和", RIGHT + MISSED, id="once too few"),
        pytest.param("哈哈哈哈哈", "哈哈哈哈哈", "哈哈", RIGHT + RIGHT, id="occurrences do not overlap"),
        pytest.param("做碳中和", "错谈碳中和", "碳中和", RIGHT, id="beside other mistakes"),
        pytest.param("一带一路", "一带一带一路", "一带一路", RIGHT, id="however its characters are aligned"),
        pytest.param("电压压降", "低电压降", "电压", RIGHT, id="though its end is aligned with what follows"),
        pytest.param("今天开会", "今天下雨", "乡村振兴", HotwordCounts(), id="not there at all"),
    ],
)
def test_an_occurrence_counts_at_the_place_where_it_was_said(
    reference: str, hypothesis: str, word: str, expected: HotwordCounts
) -> None:
    assert score(reference, hypothesis, word).total == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "word", "expected"),
    [
        pytest.param("碳中和，目标", "碳 中和目标", "碳中和", RIGHT, id="punctuation and white space"),
        pytest.param("the GPT-4 model", "the gpt 4 model", "Gpt-4", RIGHT, id="case and hyphen"),
        pytest.param("ＡＩ芯片", "AI芯片", "ai", RIGHT, id="width"),
        pytest.param("he said so", "he said so", "ai", HotwordCounts(), id="within another word"),
        pytest.param("he said so", "he said so", "aid", HotwordCounts(), id="at the end of another word"),
        pytest.param("ba一a一a", "ba一a一a", "a一a", RIGHT, id="beside what is within another word"),
        pytest.param("machine learning", "machine learnings", "machine learning", MISSED, id="a word too long"),
        pytest.param("machine learning", "machinelearning", "machine learning", RIGHT, id="as in the CER"),
        pytest.param("用AI写", "用AI写", "AI", RIGHT, id="between Chinese characters"),
        pytest.param("發電", "发电", "發電", MISSED, id="script is compared as it is written"),
    ],
)
def test_texts_are_compared_as_for_the_error_rate(
    reference: str, hypothesis: str, word: str, expected: HotwordCounts
) -> None:
    assert score(reference, hypothesis, word).total == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "inner", "outer"),
    [
        pytest.param("共建一带一路", "共建一带一路", HotwordCounts(), RIGHT, id="the longer one counts"),
        pytest.param("这一带", "这一带", RIGHT, HotwordCounts(), id="the shorter one, by itself"),
        pytest.param("共建一带一路", "共建一带衣橱", HotwordCounts(0, 0, 1, 0), MISSED, id="half of the longer one"),
        pytest.param("这一带有", "这一带一路", HotwordCounts(1, 1, 0, 0), FALSE, id="more than was said"),
        pytest.param("一带一路这一带", "一带一路这一带", RIGHT, RIGHT, id="both"),
    ],
)
def test_a_word_within_a_longer_one_is_there_but_does_not_count(
    reference: str, hypothesis: str, inner: HotwordCounts, outer: HotwordCounts
) -> None:
    words = score(reference, hypothesis, "一带", "一带一路").words
    assert words.get("一带", HotwordCounts()) == inner
    assert words.get("一带一路", HotwordCounts()) == outer


def test_two_words_that_only_share_characters_both_count() -> None:
    assert score("光伏组件检测", "光伏组件检测", "光伏组件", "组件检测").total == RIGHT + RIGHT


def test_a_word_listed_twice_counts_once() -> None:
    assert score("用AI写", "用AI写", "AI", "ai", "ＡＩ").words == {"AI": RIGHT}


def test_words_that_are_nowhere_in_the_references_are_counted_by_themselves() -> None:
    listed = ("一带", "一带一路", "特高压")
    first, second = score("一带一路", "一带一路", *listed), score("这个", "一带特高压", *listed)
    assert (second.total.false, second.false_of_absent) == (2, 2)
    for both in (first + second, second + first):
        assert (both.total, both.false_of_absent) == (RIGHT + FALSE + FALSE, 1)
        assert both.words == {"一带一路": RIGHT, "一带": FALSE, "特高压": FALSE}


def test_shares() -> None:
    counts = HotwordCounts(reference=10, recognised=8, hypothesis=16, false=4)
    assert (counts.missed, counts.recall, counts.precision) == (2, 0.8, 0.75)
    assert (HotwordCounts().recall, HotwordCounts().precision) == (None, None)


def test_an_alignment_that_is_known_already_changes_nothing() -> None:
    said, written = (text_of([Piece(text, None)]) for text in ("推进碳中和吧", "碳中和碳"))
    scorer = HotwordScorer(["碳中和"])
    assert scorer.score(said, written) == scorer.score(said, written, align(said.characters, written.characters))


TEXTS = st.text("一带路a ", max_size=15)
LISTS = st.lists(st.text("一带路a", min_size=1, max_size=4), min_size=1, max_size=4)


@given(TEXTS, LISTS)
def test_a_text_has_every_hotword_of_itself(text: str, words: list[str]) -> None:
    total = score(text, text, *words).total
    assert total == HotwordCounts(total.reference, total.reference, total.reference, 0)


@given(TEXTS, TEXTS, LISTS)
def test_no_more_is_recognised_or_false_than_there_is(reference: str, hypothesis: str, words: list[str]) -> None:
    for counts in score(reference, hypothesis, *words).words.values():
        assert 0 <= counts.recognised <= counts.reference
        assert 0 <= counts.false <= counts.hypothesis


@given(TEXTS, TEXTS, st.text("一带路a", min_size=1, max_size=4))
def test_one_word_alone_is_recognised_as_often_as_it_is_not_false(reference: str, hypothesis: str, word: str) -> None:
    total = score(reference, hypothesis, word).total
    assert total.recognised == total.hypothesis - total.false
