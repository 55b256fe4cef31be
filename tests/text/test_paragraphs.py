"""Text as prose."""

from __future__ import annotations

from funasr_cli.text.paragraphs import paragraphs
from funasr_cli.transcript import Token


def test_a_long_pause_begins_a_paragraph() -> None:
    tokens = [Token(" One.", 0, 1, 1), Token(" Two.", 1.2, 2, 1), Token(" Three.", 5, 6, 1)]
    assert list(paragraphs(tokens)) == ["One. Two.", "Three."]


def test_a_pause_separates_phrases_that_nothing_else_does() -> None:
    tokens = [Token("今天", 0, 1, 1), Token("开会", 1.0, 2, 1), Token("明天", 2.6, 3, 1), Token("休息。", 3.0, 4, 1)]
    assert list(paragraphs([*tokens, Token("好", 4.9, 5, 1)])) == ["今天开会 明天休息。好"]


def test_nothing_said_is_no_paragraph() -> None:
    assert list(paragraphs([])) == []
