"""Which texts count as equal, and which units they have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.scoring.normalise import Metric, is_mostly_unspaced, normalise, units
from funasr_cli.scoring.read import Piece

TEXTS = st.text(st.sampled_from("Aé 1。,'’-ÄßΣ开会カ한글ก\u0301ﬁ％\u200b\ufe0f\n"))


def tokens(text: str, metric: Metric) -> list[str]:
    return list(units([Piece(text, None)], metric).tokens)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ｈｅｌｌｏ，１２３！", "hello 123"),
        ("Straße", "STRASSE"),
        ("ΣΟΦΟΣ", "σοφος"),
        ("cafe\u0301", "CAFÉ"),
        ("ｶﾞ", "ガ"),
        ("don't", "DON’T"),
        ("co-operate", "co operate"),
        ("soft\u00adware", "software"),
        ("葛\U000e0100", "葛"),
        ("5 ％ ☂\ufe0f", "5"),
    ],
)
def test_texts_that_differ_only_in_writing(one: str, other: str) -> None:
    assert tokens(one, "wer") == tokens(other, "wer")


@pytest.mark.parametrize(("one", "other"), [("3", "三"), ("会议", "會議"), ("na", "ná"), ("dont", "don t")])
def test_texts_that_stay_different(one: str, other: str) -> None:
    assert tokens(one, "wer") != tokens(other, "wer")


@given(TEXTS)
def test_what_is_normal_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_characters_are_counted_without_white_space() -> None:
    assert tokens("好的, OK！\n3.5", "cer") == ["好", "的", "o", "k", "3", "5"]


def test_words_are_parted_by_spaces_and_where_the_script_has_none_each_character_is_one() -> None:
    assert tokens("我们的budget是3.5亿 ok", "wer") == ["我", "们", "的", "budget", "是", "3", "5", "亿", "ok"]
    assert tokens("カラー・テレビ", "wer") == list("カラーテレビ")
    assert tokens("안녕하세요 여러분", "wer") == ["안녕하세요", "여러분"]


@given(st.lists(TEXTS, max_size=4), st.sampled_from(["cer", "wer"]))
def test_a_unit_has_a_start_only_where_it_begins_a_piece(texts: list[str], metric: Metric) -> None:
    pieces = [Piece(f" {text}", float(number)) for number, text in enumerate(texts)]
    found = units(pieces, metric)
    expected: list[float] = []
    for number, text in enumerate(texts):
        count = len(tokens(text, metric))
        expected += [float(number), *[math.nan] * (count - 1)] if count else []
    assert found.starts.tolist() == pytest.approx(expected, nan_ok=True)


def test_a_word_in_two_pieces_begins_with_the_first() -> None:
    found = units([Piece(" don", 1.0), Piece("'t", 1.5), Piece(" go", 2.0)], "wer")
    assert (list(found.tokens), found.starts.tolist()) == (["dont", "go"], [1.0, 2.0])


def test_mostly_without_spaces_is_more_than_half_of_all_characters() -> None:
    def mostly(*texts: str) -> bool:
        return is_mostly_unspaced([[Piece(text, None)] for text in texts])

    assert mostly("会议 on", "开")
    assert not mostly("会议 on")
    assert mostly("สวัสดี")
    assert not mostly("안녕하세요")
    assert not mostly()
