"""Pauses that a reader sees as a space."""

from __future__ import annotations

import pytest

from funasr_cli.text.pauses import mark_pauses
from funasr_cli.transcript import Token


@pytest.mark.parametrize(
    ("before", "after", "pause", "text"),
    [
        pytest.param("开会", "明天", 0.6, "开会 明天", id="a pause in Chinese"),
        pytest.param("开会", "明天", 0.4, "开会 明天", id="the shortest pause"),
        pytest.param("开会", "明天", 0.39, "开会明天", id="none"),
        pytest.param("开会。", "明天", 0.6, "开会。明天", id="punctuation parts already"),
        pytest.param(" meeting", " tomorrow", 0.6, " meeting tomorrow", id="spaces are there already"),
        pytest.param("เ", "พื่อน", 0.6, "เพื่อน", id="but a vowel stays with its consonant"),
        pytest.param("“会", "明，", 0.6, "“会 明，", id="only the letters that touch count"),
        pytest.param("开会", "（明天", 0.6, "开会（明天", id="so does what opens"),
    ],
)
def test_a_pause_parts_phrases_that_nothing_else_does(before: str, after: str, pause: float, text: str) -> None:
    tokens = [Token(before, -1, -0.5, 1, tail=0.5), Token(after, pause, 3, 1)]
    assert "".join(token.text for token in mark_pauses(tokens)) == text


def test_only_the_text_changes() -> None:
    tokens = [Token("好", 0, 1, 0.5), Token("好", 2, 3, 0.6, 0.2), Token("的", 3.5, 4, 0.7)]
    assert list(mark_pauses(tokens)) == [tokens[0], Token(" 好", 2, 3, 0.6, 0.2), tokens[2]]
