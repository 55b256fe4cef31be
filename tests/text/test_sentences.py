"""Where a sentence ends, abbreviations aside."""

from __future__ import annotations

import pytest

from funasr_cli.text.sentences import SENTENCE_PAUSE_S, sentences
from funasr_cli.transcript import Token


def parted(*pieces: str, pause: float = 0.0) -> list[str]:
    """The sentences of tokens with so long a pause before the last."""
    tokens = [Token(piece, i - len(pieces), i - len(pieces) + 1, 1) for i, piece in enumerate(pieces[:-1], start=1)]
    tokens.append(Token(pieces[-1], pause, pause + 1, 1))
    return ["".join(token.text for token in sentence) for sentence in sentences(tokens)]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["好。", "再见"], ["好。", "再见"]),
        (["“好。”", "再见"], ["“好。”", "再见"]),
        ([" ok? ", "yes"], [" ok? ", "yes"]),
        (["ok.", "好"], ["ok.", "好"]),
        (["增长3.", "5倍"], ["增长3.5倍"]),
        ([" example.", "com"], [" example.com"]),
        (["好，", "再见"], ["好，再见"]),
        (["一。", "二", "三。", "四"], ["一。", "二三。", "四"]),
    ],
)
def test_a_mark_ends_a_sentence_unless_it_is_within_a_word(pieces: list[str], expected: list[str]) -> None:
    assert parted(*pieces) == expected


def test_so_does_a_pause() -> None:
    assert parted("今天", "开会", "明天", pause=SENTENCE_PAUSE_S) == ["今天开会", "明天"]
    assert parted("今天", "开会", "明天", pause=SENTENCE_PAUSE_S - 0.01) == ["今天开会明天"]


@pytest.mark.parametrize("mark", ["ー", "\u0301", "」", " !"])
def test_what_belongs_to_the_word_before_it_stays_with_it_after_a_pause(mark: str) -> None:
    assert parted("か", mark, pause=SENTENCE_PAUSE_S) == [f"か{mark}"]


def test_what_may_still_be_heard_shortens_the_pause() -> None:
    tokens = [Token("好", 0, 1, 1, tail=0.5), Token("的", 2, 3, 1)]
    assert list(sentences(tokens)) == [tokens]
    assert list(sentences(tokens, pause=0.5)) == [tokens[:1], tokens[1:]]
    assert list(sentences([])) == []
