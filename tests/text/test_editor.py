"""From merged tokens to the text that is written out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from funasr_cli.hotwords import Hotword
from funasr_cli.text.editor import Edited, Editor
from funasr_cli.text.options import Script, TextOptions
from funasr_cli.transcript import Correction, Token, join

HOTWORDS = [Hotword("新发展格局"), Hotword("十四五规划")]


def spoken(text: str) -> list[Token]:
    """A token of 0.2 s for each character; a space is a pause of half a second, a bar one of three seconds."""
    tokens, at = [], 0.0
    for char in text:
        if char in " |":
            at += {" ": 0.5, "|": 3.0}[char]
        else:
            tokens.append(Token(char, at, at + 0.2, 0.9))
            at += 0.2
    return tokens


def edited(text: str, language: str | None = "zh", **options: object) -> str:
    editor = Editor(TextOptions(**options), HOTWORDS)  # type: ignore[arg-type]
    return join(editor.edit(spoken(text), language).tokens)


def test_hotwords_then_numbers_then_script_then_lines() -> None:
    said = spoken("二零二四年 構建心發展隔局|按照十四五归划增长百分之五")
    made = Editor(TextOptions(numbers=True), HOTWORDS).edit(said, "zh")
    assert made == Edited(
        tokens=made.tokens,
        segments=made.segments,
        corrections=(
            Correction("心發展隔局", "新发展格局", 1.0, pytest.approx(1.9), pytest.approx(2.9)),
            Correction("十四五归划", "十四五规划", 1.0, pytest.approx(6.3), pytest.approx(7.3)),
        ),
    )
    assert join(made.tokens) == "2024年 构建新发展格局 按照十四五规划增长5%"
    assert [segment.text for segment in made.segments] == ["2024年 构建新发展格局", "按照十四五规划增长5%"]
    assert [segment.start for segment in made.segments] == [0.0, pytest.approx(5.9)]


def test_each_step_can_be_left_out() -> None:
    said = "構建心發展隔局增长百分之五"
    assert edited(said, numbers=True) == "构建新发展格局增长5%"
    assert edited(said) == "构建新发展格局增长百分之五"
    assert edited(said, correction=None) == "构建心发展隔局增长百分之五"
    assert edited(said, script=None) == "構建新發展格局增长百分之五"
    assert edited(said, script="traditional") == "構建新發展格局增長百分之五"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        pytest.param("ja", "構建心發展隔局", id="Japanese is left alone"),
        pytest.param("yue", "構建心發展隔局", id="Cantonese has other sounds and readers of its own"),
        pytest.param("zh", "构建新发展格局", id="Mandarin"),
        pytest.param(None, "构建新发展格局", id="unknown, but it looks like Chinese"),
    ],
)
def test_what_is_done_depends_on_the_language(language: str | None, text: str) -> None:
    assert edited("構建心發展隔局", language) == text


def test_cantonese_becomes_traditional_where_that_is_asked_for() -> None:
    assert edited("我哋发展", "yue", script="traditional") == "我哋發展"


def test_without_hotwords_nothing_is_corrected() -> None:
    made = Editor(TextOptions()).edit(spoken("心发展隔局"), "zh")
    assert (join(made.tokens), made.corrections) == ("心发展隔局", ())


@pytest.mark.parametrize(
    ("script", "whole"), [("simplified", "大语言模型"), ("traditional", "大語言模型"), (None, "大语言模型")]
)
def test_lines_do_not_part_a_hotword_in_whatever_script(script: Script | None, whole: str) -> None:
    said = spoken("我们公司发布了千亿参数的大语言模型并且取得了好成绩")
    for hotwords, together in (([], False), ([Hotword("大语言模型")], True)):
        made = Editor(TextOptions(script=script), hotwords).edit(said, "zh")
        assert any(whole in segment.text for segment in made.segments) == together


def test_nothing_said() -> None:
    assert Editor(TextOptions(numbers=True), HOTWORDS).edit([], None) == Edited((), (), ())


def test_each_stretch_is_edited_by_the_rules_of_its_language() -> None:
    english = [Token(word, 4.0 + i / 5, 4.2 + i / 5, 0.9, language="en") for i, word in enumerate(["twenty", " five"])]
    chinese = [replace(token, language="zh") for token in spoken("構建心發展隔局增长百分之五")]
    japanese = [replace(token, language="ja") for token in spoken("構建心發展隔局增长百分之五")]
    made = Editor(TextOptions(numbers=True), HOTWORDS).edit([*chinese, *english, *japanese], "ja")
    assert join(made.tokens) == "构建新发展格局增长5% 25 構建心發展隔局增长百分之五"
    assert [(line.text, line.language) for line in made.segments] == [
        ("构建新发展格局增长5%", "zh"),
        ("25", "en"),
        ("構建心發展隔局增长百分之五", "ja"),
    ]
    assert {token.language for token in made.tokens} == {"zh", "en", "ja"}
