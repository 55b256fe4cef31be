"""Text as prose."""

from __future__ import annotations

from funasr_cli.text.paragraphs import paragraphs
from funasr_cli.transcript import Paragraph, Token


def texts(tokens: list[Token]) -> list[str]:
    return [paragraph.text for paragraph in paragraphs(tokens)]


def test_a_long_pause_begins_a_paragraph() -> None:
    tokens = [Token(" One.", 0, 1, 1), Token(" Two.", 1.2, 2, 1), Token(" Three.", 5, 6, 1)]
    assert list(paragraphs(tokens)) == [Paragraph(0, "One. Two."), Paragraph(5, "Three.")]


def test_a_word_that_may_still_be_heard_shortens_the_pause() -> None:
    assert texts([Token("好", 0, 1, 1, tail=0.3), Token("好", 3.1, 4, 1)]) == ["好好"]


def test_a_speech_without_long_pauses_is_parted_at_the_end_of_a_sentence() -> None:
    sentence = [*"今天开会", "。"]
    tokens = [Token(char, float(i), i + 1.0, 1) for i, char in enumerate(sentence * 40)]
    assert texts(tokens) == ["今天开会。" * 18, "今天开会。" * 18, "今天开会。" * 4]


def test_nothing_said_is_no_paragraph() -> None:
    assert texts([]) == []
    assert texts([Token(" ", 0, 1, 1)]) == []
