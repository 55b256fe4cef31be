"""Subtitle lines: they break where sense does, fit the screen, follow each other, and lose nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.segments import SegmentLimits, columns, segment
from funasr_cli.transcript import Token

LIMITS = SegmentLimits(columns=42, seconds=7.0, pause=0.8)


def spoken(text: str, *, start: float = 0.0, each: float = 0.2, split: str = "") -> list[Token]:
    """Tokens of equal length without pauses: words with their spaces for `split=" "`, else characters."""
    words = [f" {word}" for word in text.split(split)] if split else list(text)
    return [Token(word, start + i * each, start + (i + 1) * each, 0.9) for i, word in enumerate(words)]


def lines(tokens: list[Token], limits: SegmentLimits = LIMITS) -> list[str]:
    return [line.text for line in segment(tokens, limits)]


def test_a_sentence_ends_a_line() -> None:
    tokens = [Token("好。", 0, 1, 1), Token("请", 1, 1.2, 1), Token("坐？", 1.2, 1.5, 1), Token("谢谢", 1.5, 2, 1)]
    assert lines(tokens) == ["好。", "请坐？", "谢谢"]


def test_a_full_stop_within_a_number_or_a_name_ends_nothing() -> None:
    assert lines(spoken("about 3.5 percent at example.com now.", split=" ")) == [
        "about 3.5 percent at example.com now."
    ]
    assert lines([Token("增长3.", 0, 1, 1), Token("5", 1, 1.2, 1), Token("倍", 1.2, 1.5, 1)]) == ["增长3.5倍"]


def test_a_pause_ends_a_line() -> None:
    assert lines([*spoken("今天开会"), *spoken("明天休息", start=2.0)]) == ["今天开会", "明天休息"]


def test_a_wide_line_is_cut_after_its_comma() -> None:
    text = "我们坚持新发展理念推动高质量发展，构建新的发展格局"
    assert lines(spoken(text, each=0.1)) == ["我们坚持新发展理念推动高质量发展，", "构建新的发展格局"]


def test_a_line_without_a_comma_is_cut_near_its_middle_and_between_words() -> None:
    words = "it was a bright cold day in April and all the clocks were striking thirteen"
    cut = lines(spoken(words, each=0.1, split=" "))
    assert " ".join(cut) == words
    assert max(map(columns, cut)) <= 42
    assert max(map(columns, cut)) - min(map(columns, cut)) <= 10


def test_wide_characters_count_twice() -> None:
    assert columns("发展 ok") == 7
    assert max(map(columns, lines(spoken("发" * 100, each=0.01)))) <= 42


def test_a_slow_line_is_cut_in_time() -> None:
    cut = segment(spoken("一二三四五六七八", each=1.0), LIMITS)
    assert len(cut) > 1
    assert all(line.end - line.start <= LIMITS.seconds for line in cut)


def test_a_short_line_stays_long_enough_to_be_read() -> None:
    first, second = segment([Token("好。", 1.0, 1.1, 1), Token("再见", 5.0, 5.1, 1)], LIMITS)
    assert first.end - first.start >= 0.8
    assert second.end - second.start >= 0.799


def test_nothing_said_is_no_line() -> None:
    assert segment([], LIMITS) == ()
    assert segment([Token(" ", 0, 1, 1)], LIMITS) == ()


@st.composite
def anything(draw: st.DrawFn) -> list[Token]:
    """Tokens as badly timed as a model may leave them: touching, overlapping, of no length, out of order by a bit."""
    tokens, at = [], 0.0
    for _ in range(draw(st.integers(0, 60))):
        at = max(0.0, at + draw(st.floats(-0.3, 2.0)))
        word = draw(st.sampled_from(["发", "展", " growth", " in", "。", "，", " 3.5", " ", "好。", "x" * 60]))
        tokens.append(Token(word, at, at + draw(st.floats(0, 1.5)), 0.5))
    return tokens


@given(tokens=anything())
def test_lines_are_in_order_never_overlap_and_are_never_empty(tokens: list[Token]) -> None:
    made = segment(tokens, LIMITS)
    assert all(line.text and line.start < line.end for line in made)
    assert all(a.end <= b.start for a, b in pairwise(made))


@given(tokens=anything())
def test_lines_hold_every_token_once_and_fit(tokens: list[Token]) -> None:
    made = segment(tokens, LIMITS)
    assert [token for line in made for token in line.tokens] == [token for token in tokens if token.text.strip()]
    for line in made:
        assert len(line.tokens) == 1 or columns(line.text) <= LIMITS.columns
