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
    assert converted("發電和發展", "simplified", "發電") == "發電和发展"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("随著发展意味著进步", "随着发展意味着进步"),
        ("看著他走著走著睡著了", "看着他走着走着睡着了"),
        ("忙著錄音，看著名單", "忙着录音，看着名单"),
        ("跟著書記看著作業", "跟着书记看着作业"),
        ("著手處理，不著急，很沉著執著", "着手处理，不着急，很沉着执着"),
        ("大著膽子，合著眼睛", "大着胆子，合着眼睛"),
        ("有著名的著作", "有著名的著作"),
        ("成效显著，土著和原著，臭名昭著", "成效显著，土著和原著，臭名昭著"),
        ("以美食著稱，著書立說，著作權", "以美食著称，著书立说，著作权"),
        ("魯迅所著的小說，著有多部名著", "鲁迅所著的小说，著有多部名著"),
        ("你做甚麼，甚至那麼", "你做什么，甚至那么"),
        ("規畫和計畫，妳們和牠們", "规划和计划，你们和它们"),
    ],
)
def test_simplified_text_is_that_of_the_mainland(said: str, written: str) -> None:
    assert converted(said, "simplified") == written
    assert converted(written, "simplified") == written


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("張乾來了，畢昇發明了它", "张乾来了，毕昇发明了它"),
        ("林徵和張脩在乾縣", "林徵和张脩在乾县"),
        ("陳建昇、李東昇、林志昇和王永昇", "陈建昇、李东昇、林志昇和王永昇"),
        ("把餅乾擦乾，牛肉乾很乾燥", "把饼干擦干，牛肉干很干燥"),
        ("頭髮還沒吹乾，江水乾了", "头发还没吹干，江水干了"),
        ("提昇上昇，步步高昇，太陽昇起", "提升上升，步步高升，太阳升起"),
        ("徵求意見，象徵，應徵，徵稅", "征求意见，象征，应征，征税"),
        ("乾隆和乾坤，宫商角徵羽，哪吒", "乾隆和乾坤，宫商角徵羽，哪吒"),
    ],
)
def test_characters_of_names_are_not_simplified_to_those_of_other_words(said: str, written: str) -> None:
    assert converted(said, "simplified") == written


@pytest.mark.parametrize("name", ["王乾", "林徵", "林脩", "鴻蒙", "範先生"])
def test_what_a_list_holds_is_never_converted(name: str) -> None:
    assert converted(f"就是{name}來了", "simplified", name) == f"就是{name}来了"
    assert converted(f"就是{name}來了", "simplified", "就是") != "就是{name}来了"


@pytest.mark.parametrize("script", ["traditional", "taiwan", "hongkong"])
def test_names_of_a_list_stay_in_traditional_text_and_its_words_do_not(script: Script) -> None:
    said = "范曾和余华在发展干部"
    assert converted(said, script, "范曾", "余华", "发展") == "范曾和余华在發展幹部"
    assert converted("余華", script, "余华") == "余華"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("范伟和余秋雨看范围和余额", "范偉和余秋雨看範圍和餘額"),
        ("于先生由于小于", "于先生由於小於"),
        ("老余其余三百余人", "老余其餘三百餘人"),
    ],
)
def test_surnames_stay_in_traditional_text(said: str, written: str) -> None:
    assert converted(said, "traditional") == written


def test_taiwan_and_hong_kong_have_forms_of_their_own() -> None:
    said = "在台湾里面看着为了卫生线"
    assert converted(said, "taiwan") == "在臺灣裡面看著為了衛生線"
    assert converted(said, "hongkong") == "在台灣裏面看着為了衞生線"


def test_half_width_marks_between_chinese_characters_become_full_width() -> None:
    assert converted("你好, 世界?是的;好hello,世界,ok", "simplified") == "你好，世界？是的；好hello,世界,ok"
    assert converted("三,000", "simplified") == "三,000"
    assert converted("経済の発展,国家", "simplified") == "経済の発展,国家"
    tokens = [Token("你好,", 0, 1, 0.9, 0.1), Token(" 世界,", 3, 4, 0.8)]
    assert ScriptConverter("traditional").convert(tokens) == [
        Token("你好，", 0, 1, 0.9, 0.1),
        Token(" 世界,", 3, 4, 0.8),
    ]


def test_simplified_keeps_the_number_of_characters() -> None:
    assert simplified("萬古長青 ABC。") == "万古长青 ABC。"
