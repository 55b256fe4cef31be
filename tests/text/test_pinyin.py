"""Which characters sound alike, and by how much they differ."""

from __future__ import annotations

import math

import pytest

from funasr_cli.text.pinyin import difference, listed_readings, readings
from funasr_cli.text.sound_index import SoundIndex


@pytest.mark.parametrize(
    ("char", "other"),
    [
        ("字", "志"),  # z, zh
        ("次", "赤"),  # c, ch
        ("四", "市"),  # s, sh
        ("脑", "老"),  # n, l
        ("飞", "灰"),  # f, h
        ("方", "荒"),
        ("夫", "呼"),
        ("班", "帮"),  # an, ang
        ("关", "光"),
        ("真", "征"),  # en, eng
        ("新", "星"),  # in, ing
    ],
)
def test_what_is_often_confused_is_alike_however_the_tones(char: str, other: str) -> None:
    assert difference(char, other) == difference(other, char) == pytest.approx(0.3)
    assert [*SoundIndex([(other, other)]).find(char)] == [(0, 1, other)]


@pytest.mark.parametrize(
    ("char", "other"),
    [
        ("字", "次"),  # z, c
        ("志", "赤"),  # zh, ch
        ("志", "市"),  # zh, sh
        ("志", "日"),  # zh, r
        ("班", "攀"),  # b, p
        ("单", "贪"),  # d, t
        ("单", "南"),  # d, n
        ("关", "宽"),  # g, k
        ("哥", "喝"),  # g, h
        ("京", "青"),  # j, q
        ("青", "星"),  # q, x
        ("日", "利"),  # r, l
        ("班", "奔"),  # an, en
        ("真", "金"),  # zh, j
        ("东", "灯"),  # ong, eng
        ("五", "鱼"),  # u, ü
    ],
)
def test_what_is_seldom_confused_is_not_alike(char: str, other: str) -> None:
    assert difference(char, other) == difference(other, char) == math.inf
    assert not [*SoundIndex([(other, other)]).find(char)]


@pytest.mark.parametrize(
    ("char", "other", "apart"),
    [
        ("式", "式", 0.0),
        ("式", "是", 0.0),
        ("式", "十", 0.15),
        ("志", "籽", 0.45),
        ("脏", "战", 0.6),
        ("脏", "展", 0.75),
    ],
)
def test_differences_in_tone_and_confusions_add_up(char: str, other: str, apart: float) -> None:
    assert difference(char, other) == pytest.approx(apart)


@pytest.mark.parametrize(
    ("char", "syllables"),
    [
        ("行", {"xing", "hang"}),
        ("率", {"shuai", "lv"}),
        ("给", {"gei", "ji"}),
        ("勒", {"lei", "le"}),
        ("会", {"huei", "kuai"}),
        ("的", {"de"}),
        ("是", {"shi"}),
    ],
)
def test_a_character_is_said_in_its_usual_ways(char: str, syllables: set[str]) -> None:
    assert {f"{said.initial}{said.final}" for said in readings(char)} == syllables


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        *(
            ("谢", "解"),
            ("扎", "查"),
            ("善", "单"),
            ("求", "仇"),
            ("飘", "朴"),
            ("欧", "区"),
            ("妙", "缪"),
            ("亮", "靓"),
        ),
        *(
            ("莫", "万"),
            ("其", "俟"),
            ("玉", "尉"),
            ("路", "六"),
            ("布", "埔"),
            ("葛", "盖"),
            ("仁", "任"),
            ("话", "华"),
        ),
        *(
            ("宅", "翟"),
            ("秦", "覃"),
            ("潘", "番"),
            ("言", "铅"),
            ("迅", "浚"),
            ("浑", "珲"),
            ("同", "洞"),
            ("岳", "乐"),
        ),
    ],
)
def test_characters_of_hotwords_are_said_as_in_names_too(heard: str, name: str) -> None:
    assert difference(heard, name) <= 0.15
    assert [*SoundIndex([(name, name)]).find(heard)] == [(0, 1, name)]


def test_what_is_heard_has_its_usual_sounds_alone() -> None:
    assert {said.initial for said in readings("解")} == {"j"}
    assert {said.initial for said in listed_readings("解")} == {"j", "x"}
    assert difference("解", "谢") == math.inf
