"""Words from sentencepiece's pieces."""

from __future__ import annotations

import pytest

from funasr_cli.recognizers.words import attach_punctuation, join_numbers, join_pieces
from funasr_cli.transcript import Token


def pieces(*texts: str) -> list[Token]:
    return [Token(text, float(i), i + 0.5, 0.5 + i / 100, tail=0.3) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["今", "天", "。"], ["今", "天。"]),
        (["▁he", "ll", "o", "▁world", "."], ["hello", " world."]),
        (["▁don", "'", "t"], ["don't"]),
        (["▁", "今", "▁", "天"], ["今", "天"]),
        (["用", "▁p", "y", "th", "on", "写"], ["用", " python", "写"]),
        (["▁안녕", "하세요", "▁여러분"], ["안녕하세요", " 여러분"]),
        (["2", "0", "2", "4", "年", "3", "月"], ["2024", "年", "3", "月"]),
        (["说", "：", "“", "好", "”", "。"], ["说：", "“好”。"]),
        (["完", "（"], ["完（"]),
        (["▁"], []),
    ],
)
def test_latin_pieces_join_and_chinese_characters_stand_apart(written: list[str], words: list[str]) -> None:
    assert [token.text for token in attach_punctuation(join_pieces(pieces(*written)))] == words


def test_a_word_lasts_from_its_first_piece_to_its_last_with_their_mean_confidence() -> None:
    (word,) = join_pieces(pieces("▁he", "ll", "o"))
    assert (word.start, word.end, word.tail) == (0.0, 2.5, 0.3)
    assert word.confidence == pytest.approx(0.51)


def test_numbers_are_not_torn_apart() -> None:
    written = ["1", ",", "0", "0", "0", "元", "9", ":", "3", "0", "。", "3", ".", "5", "%", "第", "1", ",", "▁2"]
    words = join_numbers(attach_punctuation(join_pieces(pieces(*written))))
    assert [token.text for token in words] == ["1,000", "元", "9:30。", "3.5%", "第", "1,", " 2"]


def test_punctuation_leaves_a_words_times_alone() -> None:
    (word,) = attach_punctuation(pieces("好", "。"))
    assert (word.text, word.start, word.end) == ("好。", 0.0, 0.5)
