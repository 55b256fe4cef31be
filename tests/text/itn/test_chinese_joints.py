"""Where a Chinese number ends if the next word begins with a numeral, or the last one ends with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from funasr_cli.lexicon import is_word, surprise
from funasr_cli.text.itn.chinese_context import is_measured
from funasr_cli.text.itn.chinese_numerals import NUMERALS
from tests.text.itn.test_normaliser import written

KINDS = {
    "到二零二六": "2026",
    "会议室三零二": "302",
    "我住幺零二": "102",
    "验证码三五二九零七": "352907",
    "电话一三八零零一三八零零零": "13800138000",
    "车次一四六一": "1461",
    "温度三十": "30",
    "一共二十五": "25",
    "血压一百四十": "140",
    "编号一百零五": "105",
    "收到三千二百五十": "3250",
    "收入三万五千": "35000",
    "人口一百二十万": "120",
    "达到三点五": "3.5",
    "价格十二点八": "12.8",
    "系数零点九": "0.9",
    "增长百分之三点五": "3.5",
    "占百分之六十": "60",
    "早上八点二十": "8 20",
    "三十到四十": "30 40",
    "体温三十八度五": "38 5",
    "排名第二十三": "23",
}
"""Numbers of each kind, and the figures that may be written for them."""

WORDS = [
    *("一直", "一起", "一定", "一般", "一样", "一些", "一下", "一边", "一旦", "一共", "一切", "一致"),
    *("一律", "一会儿", "一方面", "一路", "一举", "两会", "两个", "两国", "两岸", "两边", "三季度", "四季度"),
    *("三峡", "三亚", "三农", "三星", "四川", "四季", "五金", "六安", "七夕", "九江", "十足", "百姓"),
    *("百货", "万一", "零售", "零碳", "零件", "零钱", "零部件"),
]

AFTER = ("", "很多人", "没有变化")

BROKEN = {
    "the next word": [
        ("血压一百四十一样要吃药", "血压140一样要吃药"),
        ("会议室幺零二一直没人用", "会议室102一直没人用"),
        ("二零二六两会召开", "2026两会召开"),
        ("二零二五三季度营收", "2025三季度营收"),
        ("增长百分之五一直很稳", "增长5%一直很稳"),
        ("我在三零二两间房都空着", "我在302两间房都空着"),
        ("一百三十一家企业", "131家企业"),
        ("气温三十一度左右", "气温31度左右"),
        ("利率三点二五一度引发争议", "利率3.25一度引发争议"),
        ("余额两千零五十一查就知道", "余额2050一查就知道"),
        ("一共收了四百二十一起算账", "一共收了420一起算账"),
        ("发生一百五十一起案件", "发生151起案件"),
        ("按百分之三点四五支付利息", "按3.45%支付利息"),
        ("拉开二二零三刀闸", "拉开2203刀闸"),
        ("早上八点二十几个人来了", "早上8点20几个人来了"),
        ("读数六点零七九月又降了", "读数6.07九月又降了"),
        ("二零二六五一放假", "2026五一放假"),
    ],
    "the word before": [
        ("周五十三点半开庭", "周五13点半开庭"),
        ("礼拜三十一点二十出发", "礼拜三11点20出发"),
        ("周三二点二十六分的火车", "周三2点26分的火车"),
        ("大年三十八点半开播", "大年三十8点半开播"),
        ("初五十点半开门", "初五10点半开门"),
        ("周四十月一号放假", "周四10月1号放假"),
        ("找零三千零五元", "找零3005元"),
        ("每周四十小时", "每周40小时"),
    ],
}

UNKNOWN = [
    "被告李四十八岁",
    "周三十人到场",
    "周五十三点开庭",
    "二四二五年的数据",
    "零八零九年那会儿",
    "二零二五二零二六年的预算",
    "九七九八年的时候",
    "二零二三二零二四学年",
    "二0二六年",
    "两百分之一的中奖率",
    "四千分之一",
    "误差不超过五千分之三",
    "浓度百万分之五",
    "浓度为一百万分之三十",
    "总分六百五十七位同学超过",
    "得票六百二十二号当选",
    "血糖六点零七三人超标",
    "开盘价三十六点二三分钟后涨停",
    "仓单六千三百二十一手",
    "老五十一岁上学",
    "大三十二个班",
    "找五一一三八零零一三八零零零",
    "二零二六五一很热闹",
    "增长三点七月底公布",
    "B二十五个人",
    "三零零六元",
    "Python三点十一",
    "百八十块",
    "七八上十个",
]
"""Of these nobody knows what figures are meant, or there is no way to write them."""


@pytest.mark.parametrize(("said", "read"), [row for rows in BROKEN.values() for row in rows])
def test_a_number_ends_where_the_dictionary_has_a_word(said: str, read: str) -> None:
    assert written(said) == read


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_number_stays_in_words_if_its_end_is_in_doubt(text: str) -> None:
    assert written(text) == text


def test_a_number_does_not_take_the_numeral_of_the_next_word() -> None:
    joints = list(_joints(WORDS))
    changed = [(said, read) for said, read, may_be in joints if not _figures(read) <= may_be]
    in_words = sum(said == read for said, read, _ in joints)
    assert not changed
    assert in_words < 0.4 * len(joints)


MAY_MEASURE = "点分时刻里角毛手把刀段脚行声句道"


@pytest.mark.slow
def test_hardly_a_word_of_the_dictionary_loses_its_numeral() -> None:
    """All common words of two characters that begin with a numeral, but for those whose rest may be its measure."""
    pairs = [a + chr(b) for a in NUMERALS for b in range(0x4E00, 0x9FA6) if chr(b) not in NUMERALS]
    words = [
        pair
        for pair in pairs
        if is_word(pair) and surprise(pair) < 6.2 and not is_measured(pair[1:]) and pair[1] not in MAY_MEASURE
    ]
    assert len(words) > 650
    joints = list(_joints(words))
    changed = [(said, read) for said, read, may_be in joints if not _figures(read) <= may_be]
    assert len(changed) < 0.002 * len(joints), changed[:20]


def _joints(words: Iterable[str]) -> Iterator[tuple[str, str, set[str]]]:
    """What was said, what was written, and the figures that may be in it."""
    for word in words:
        for before, figures in KINDS.items():
            for after in AFTER:
                said = before + word + after
                yield said, written(said), {*figures.split(), *_figures(written(word + after))}


def _figures(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))
