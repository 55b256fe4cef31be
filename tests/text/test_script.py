"""Simplified and traditional characters, token by token but with the words around them."""

from __future__ import annotations

import pytest

from funasr_cli.text.options import Script
from funasr_cli.text.script import ScriptConverter, simplified
from funasr_cli.transcript import Token


def spoken(*texts: str) -> list[Token]:
    return [Token(text, i / 2, i / 2 + 0.3, 0.9 - i / 100, 0.1) for i, text in enumerate(texts)]


def converted(text: str, script: Script, *hotwords: str) -> str:
    return "".join(token.text for token in ScriptConverter(script, hotwords).convert(spoken(*text)))


@pytest.mark.parametrize(
    ("simple", "traditional"),
    [
        ("新发展格局", "新發展格局"),
        ("他的头发和他发现的东西", "他的頭髮和他發現的東西"),
        ("干部很能干也很干净", "幹部很能幹也很乾淨"),
        ("皇后在后面", "皇后在後面"),
        ("GDP 增长 5.3%。", "GDP 增長 5.3%。"),
    ],
)
def test_each_character_follows_from_its_word_though_it_is_a_token_of_its_own(simple: str, traditional: str) -> None:
    assert converted(simple, "traditional") == traditional
    assert converted(traditional, "simplified") == simple


def test_times_and_confidences_stay() -> None:
    tokens = spoken("“發", "展，", " ok", "格局")
    assert ScriptConverter("simplified").convert(tokens) == [
        Token("“发", 0.0, 0.3, 0.9, 0.1),
        *tokens[1:],
    ]


def test_japanese_stays() -> None:
    assert converted("経済の発展國", "simplified") == "経済の発展國"


def test_a_name_that_mixes_the_scripts_is_written_as_in_its_list() -> None:
    assert converted("昇騰芯片和昇腾芯片熱氣升腾", "simplified") == "升腾芯片和升腾芯片热气升腾"
    assert converted("昇騰芯片和昇腾芯片熱氣升腾", "simplified", "昇腾") == "昇腾芯片和昇腾芯片热气升腾"
    assert converted("發電", "simplified", "發電") == "发电"


def test_simplified_keeps_the_number_of_characters() -> None:
    assert simplified("萬古長青 ABC。") == "万古长青 ABC。"
