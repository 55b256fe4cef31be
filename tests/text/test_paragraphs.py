"""Text as prose."""

from __future__ import annotations

from funasr_cli.text.paragraphs import paragraphs
from funasr_cli.transcript import Paragraph, Token


def texts(tokens: list[Token]) -> list[str]:
    return [paragraph.text for paragraph in paragraphs({None: tokens})]


def test_a_long_pause_begins_a_paragraph() -> None:
    tokens = [Token(" One.", 0, 1, 1), Token(" Two.", 1.2, 2, 1), Token(" Three.", 5, 6, 1)]
    assert list(paragraphs({None: tokens})) == [Paragraph(0, "One. Two."), Paragraph(5, "Three.")]


def test_a_word_that_may_still_be_heard_shortens_the_pause() -> None:
    assert texts([Token("好", 0, 1, 1, tail=0.3), Token("好", 3.1, 4, 1)]) == ["好好"]


def test_a_speech_without_long_pauses_is_parted_at_the_end_of_a_sentence() -> None:
    sentence = [*"今天开会", "。"]
    tokens = [Token(char, float(i), i + 1.0, 1) for i, char in enumerate(sentence * 40)]
    assert texts(tokens) == ["今天开会。" * 18, "今天开会。" * 18, "今天开会。" * 4]


def test_speakers_take_turns_by_whole_sentences() -> None:
    caller = [Token(" Is", 0, 1, 1), Token(" it", 1, 2, 1), Token(" open?", 2, 3, 1), Token(" Good.", 5, 6, 1)]
    agent = [Token(" Hm.", 1, 1.5, 1), Token(" Yes.", 3.2, 4, 1), Token(" Always.", 4.1, 4.5, 1)]
    assert list(paragraphs({1: caller, 2: agent})) == [
        Paragraph(0, "Is it open?", 1),
        Paragraph(1, "Hm. Yes. Always.", 2),
        Paragraph(5, "Good.", 1),
    ]


def test_who_speaks_alone_pauses_as_ever() -> None:
    tokens = [Token(" One.", 0, 1, 1), Token(" Two.", 1.2, 2, 1), Token(" Three.", 5, 6, 1)]
    assert list(paragraphs({1: tokens, 2: []})) == [Paragraph(0, "One. Two.", 1), Paragraph(5, "Three.", 1)]


def test_nothing_said_is_no_paragraph() -> None:
    assert texts([]) == []
    assert texts([Token(" ", 0, 1, 1)]) == []
