"""Numbers in figures, where that reads better and nowhere else."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from funasr_cli.text.itn.chinese_numerals import NUMERALS, cardinal
from funasr_cli.text.itn.normaliser import NumberWriter
from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import HAN

JOINTS = Path(__file__).with_name("joints.tsv")

ENGLISH = "one two oh five ten twenty hundred thousand point and double first second over a.m. in percent dollars May"
CHINESE = "点半年月日号时分秒比到至周期星第元块角毛度米斤人位个起手口季分几多左右老大高张每均AG维"


def spoken(text: str) -> list[Token]:
    """A token for each character or, in text with spaces, each word; 0.2 s each, and a second's pause at a bar."""
    pieces = [f" {word}" for word in text.split()] if " " in text else list(text)
    tokens, at = [], 0.0
    for piece in pieces:
        if piece.strip() == "|":
            at += 1.0
        else:
            tokens.append(Token(piece, at, at + 0.2, 0.9))
            at += 0.2
    return tokens


def written(text: str, *hotwords: str) -> str:
    return "".join(token.text for token in NumberWriter(hotwords).write(spoken(text))).strip()


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("二零二四年三月五日开会", "2024年3月5日开会"),
        ("一九四九年十月一日", "1949年10月1日"),
        ("九八年和零八年", "98年和08年"),
        ("二零二一到二零二五年", "2021到2025年"),
        ("两千零八年", "2008年"),
        ("今年三月和十二月", "今年3月和12月"),
        ("三月份以来", "3月份以来"),
        ("下午三点半", "下午3点半"),
        ("上午九点零五分", "上午9点05分"),
        ("十点二十分到三点四十五", "10点20分到3点45"),
        ("增长百分之五点三", "增长5.3%"),
        ("百分之五到十", "5%到10%"),
        ("百分之五到十五个百分点", "5%到15个百分点"),
        ("下午三点十分", "下午3点10分"),
        ("人数三百人", "人数300人"),
        ("2024年三月", "2024年3月"),
        ("千分之三", "3‰"),
        ("提高零点五个百分点", "提高0.5个百分点"),
        ("两个百分点", "2个百分点"),
        ("一共三百二十五万元", "一共325万元"),
        ("一千二百三十四点五六元", "1234.56元"),
        ("三点二万亿元", "3.2万亿元"),
        ("七十六万亿", "76万亿"),
        ("一亿五千万", "1亿5000万"),
        ("两万五千人", "25000人"),
        ("三百多万人", "300多万人"),
        ("三十多岁", "30多岁"),
        ("十个人三十五台", "10个人35台"),
        ("三公里五千克五百千伏", "3公里5千克500千伏"),
        ("三十万千瓦", "30万千瓦"),
        ("零下十五度", "零下15度"),
        ("第十条第一百二十三条", "第10条第123条"),
        ("二十世纪八十年代", "20世纪80年代"),
        ("电话一三八零零一三八零零零", "电话13800138000"),
        ("幺三八零零幺三八零零零", "13800138000"),
        ("拨打幺幺零", "拨打110"),
        ("九零后和零零后", "90后和00后"),
        ("圆周率三点一四一五九", "圆周率3.14159"),
        ("十点零五到十点二十", "10点05到10点20"),
        ("九点四十五分三十秒", "9点45分30秒"),
        ("六点三刻起飞九点差五分开门", "6点三刻起飞9点差5分开门"),
        ("先后作案十七起", "先后作案17起"),
        ("京零一民终六七八九号", "京01民终6789号"),
        ("六十点七五分", "60.75分"),
        ("零点八五到零点九", "0.85到0.9"),
        ("平均每户二点六二人", "平均每户2.62人"),
        ("维生素D三每天四百国际单位", "维生素D3每天400国际单位"),
        ("D二二八一次列车", "D2281次列车"),
        ("二零二四年發電三百億千瓦時", "2024年發電300億千瓦時"),
    ],
)
def test_chinese(said: str, read: str) -> None:
    assert written(said) == read


@pytest.mark.parametrize(
    "text",
    [
        "三五个人",
        "两三年",
        "一两年",
        "七八年",
        "二三十人",
        "十七八岁",
        "几十个",
        "好几百人",
        "数十万",
        "十多年",
        "二十几岁",
        "百分之九十几",
        "一点一点来",
        "我讲三点一要团结",
        "有三点意见",
        "以下三点十分重要",
        "晚上一点声音都没有",
        "五代十国",
        "这一点半年前说过",
        "三个月",
        "第三次",
        "一二三四五",
        "十分重要",
        "万一",
        "五千两银子",
        "三分之一",
        "八五折",
        "双十一",
        "十一长假",
        "九一八事变",
        "三十而立",
        "五十步笑百步",
        "二十四史",
    ],
)
def test_small_and_rough_numbers_and_idioms_stay_in_characters(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "二十大精神",
        "十九大以来",
        "十大品牌",
        "十一届三中全会",
        "第二十届中央委员会第三次全体会议",
        "十四五规划和十五五时期",
        "双十一个人消费",
        "正月十五元宵节",
        "路易十六个性软弱",
        "数以十万计",
        "二十四节气",
        "三百六十行",
        "十年如一日",
        "三十年河东三十年河西",
        "二万五千里长征",
        "一百个不愿意",
        "七零八落",
        "十月革命",
        "十万火急",
    ],
)
def test_set_phrases_stay_though_they_would_be_numbers(text: str) -> None:
    assert written(text) == text


def test_a_set_phrase_does_not_protect_a_longer_number() -> None:
    assert written("走了二千八百里路") == "走了2800里路"


@pytest.mark.parametrize(
    ("said", "read", "hotword"),
    [
        ("昇騰三一零有三百二十人", "昇騰三一零有320人", "昇騰三一零"),
        ("昇腾三一零有三百二十人", "昇腾三一零有320人", "昇騰三一零"),
        ("升腾三一零有三百二十人", "升腾三一零有320人", "昇騰三一零"),
        ("兩億項目有三百二十人", "兩億項目有320人", "兩億項目"),
        ("两亿项目有三百二十人", "两亿项目有320人", "兩億項目"),
        ("兩億項目有三百二十人", "兩億項目有320人", "两亿项目"),
        ("两亿项目有三百二十人", "两亿项目有320人", "兩億"),
        ("三一零号楼", "310号楼", "昇騰"),
    ],
)
def test_hotwords_stay_in_whatever_script_they_are_listed_and_heard(said: str, read: str, hotword: str) -> None:
    assert written(said, hotword) == read


def test_hotwords_stay_as_they_are_listed() -> None:
    assert written("三一二零项目有三百二十人") == "3120项目有320人"
    assert written("三一二零项目有三百二十人", "三一二零项目") == "三一二零项目有320人"
    assert written("forty two million people", "Forty Two") == "forty two million people"


def test_a_number_ends_at_a_pause() -> None:
    tokens = [Token(char, i * 1.5, i * 1.5 + 0.2, 0.9) for i, char in enumerate("一三八零零")]
    assert NumberWriter().write(tokens) == tokens
    assert written("一三八零零") == "13800"


def test_japanese_numbers_stay() -> None:
    assert written("二〇二四年三月五日です") == "二〇二四年三月五日です"


def test_a_number_keeps_the_time_in_which_it_was_said() -> None:
    tokens = [*spoken("增长百分之五点三"), Token("左右。", 3.0, 3.4, 0.5)]
    made = NumberWriter().write(tokens)
    assert [token.text for token in made] == ["增", "长", "5.3%", "左右。"]
    assert (made[2].start, made[2].end) == (pytest.approx(0.4), pytest.approx(1.6))
    assert [made[0], made[1], made[3]] == [tokens[0], tokens[1], tokens[-1]]


def test_figures_stand_beside_the_words_between_them() -> None:
    made = NumberWriter().write(spoken("二零二四年三月"))
    shown = [(token.text, round(token.start, 1)) for token in made]
    assert shown == [("2024", 0.0), ("年", 0.8), ("3", 1.0), ("月", 1.2)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("零", 0),
        ("十", 10),
        ("二十三", 23),
        ("一百零五", 105),
        ("一千零五十", 1050),
        ("三万零八百", 30_800),
        ("一百二十三万四千五百六十七", 1_234_567),
        ("一万两千亿", 1_200_000_000_000),
        ("二三十", None),
        ("十四五", None),
        ("三万五", None),
        ("四十万十五", None),
        ("亿", None),
        ("百", None),
        ("", None),
    ],
)
def test_well_formed_numbers_have_a_value(text: str, value: int | None) -> None:
    assert cardinal(text) == value


@pytest.mark.parametrize("words", [ENGLISH.split(), [*NUMERALS, *CHINESE]], ids=["English", "Chinese"])
def test_no_row_of_words_is_an_error(words: list[str]) -> None:
    rnd = random.Random(15)
    for _ in range(1500):
        row = rnd.choices(words, k=rnd.randint(2, 9))
        assert written("".join(row) if words[0] in NUMERALS else " ".join(row))


def test_no_sentence_of_the_table_is_written_otherwise() -> None:
    """Sentences that mislead: a number beside a word with a numeral, years and ages in a row, months, names."""
    rows = [row.split("\t") for row in JOINTS.read_text(encoding="utf-8").splitlines()[1:]]
    wrong = [
        (said, read) for said, forms in rows if (read := written_in(said)) not in forms.replace("=", said).split("|")
    ]
    assert not wrong


def written_in(sentence: str) -> str:
    """A sentence with punctuation, which belongs to the token before it."""
    pieces = re.findall(rf"\s*(?:[{HAN}][。，、]?|[^\s{HAN}]+)", sentence)
    tokens = [Token(piece, 0.2 * at, 0.2 * (at + 1), 0.9) for at, piece in enumerate(pieces)]
    return "".join(token.text for token in NumberWriter().write(tokens))
