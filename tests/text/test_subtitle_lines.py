"""Subtitle lines: they break where sense does, fit the screen, follow each other, and lose nothing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.options import SegmentLimits
from funasr_cli.text.subtitle_lines import _breaks, _lines, columns, segment
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


def test_wide_characters_count_twice_and_marks_not_at_all() -> None:
    assert columns("发展 ok") == 7
    assert columns("ａe\u0301") == 3
    assert max(map(columns, lines(spoken("发" * 100, each=0.01)))) <= 42


@pytest.mark.parametrize(
    "cut",
    [
        ["全市上下要切实增强做好安全", "生产工作的责任感紧迫感"],
        ["各级领导干部务必牢记全心全意", "为人民服务的根本宗旨"],
    ],
)
def test_words_stay_whole_though_the_middle_is_within_one(cut: list[str]) -> None:
    assert lines(spoken("".join(cut), each=0.1)) == cut


def test_no_character_stands_alone() -> None:
    said = spoken("这个项目的总投资超过了二百三十五点六亿元人民币呢", each=0.1)
    assert min(len(line) for line in lines(said)) >= 4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("深入推进供给侧结构性改革", "的各项重点工作任务落实", id="的 belongs to what is before it"),
        pytest.param("今年一共安装了风电机组35", "台并且全部都已经投入使用", id="a figure and its measure"),
        pytest.param("今天我们一起来学习怎么用P", "ython写一个小的程序", id="a word in letters"),
    ],
)
def test_what_belongs_together_is_not_parted(before: str, after: str) -> None:
    tokens = spoken(before + after, each=0.1)
    assert before not in lines(tokens)


@pytest.mark.parametrize(
    ("number", "cut"),
    [
        ("二零二三年", ["我们公司相关负责人介绍说从二零二三年", "三月份开始并且取得了好成绩"]),
        ("一百二十三点五亿元", ["我们公司一共有一百二十三点五亿元", "用于改造老旧小区"]),
        ("百分之八十五点六", ["我们公司达到百分之八十五点六", "推动经济社会发展的目标"]),
        ("四零零八八二三八二三", ["我们公司相关负责人介绍说电话", "四零零八八二三八二三正式投入运行"]),
        ("二十个", ["会议决定统一二十个部门的工作", "标准并且在年底之前全部完成"]),
        ("统一", ["我们要建立统一的市场体系推动", "经济社会的高质量发展和进步"]),
    ],
)
def test_a_number_stays_whole_and_with_its_measure(number: str, cut: list[str]) -> None:
    assert any(number in line for line in cut)
    assert lines(spoken("".join(cut), each=0.1)) == cut


def test_a_number_in_english_words_stays_whole() -> None:
    said = "the company was founded there in nineteen ninety five and has now twenty three thousand people"
    cut = lines(spoken(said, each=0.1, split=" "), SegmentLimits(columns=40))
    assert any("nineteen ninety five" in line for line in cut)
    assert any("twenty three thousand" in line for line in cut)


@pytest.mark.parametrize(
    ("said", "hotword", "split"),
    [
        ("我们公司发布了千亿参数的大语言模型并且取得了好成绩", "大语言模型", ""),
        (
            "we have built a new machine learning team that is working on the Large Language Model of the bank",
            "large language model",
            " ",
        ),
    ],
)
def test_a_hotword_stays_whole(said: str, hotword: str, split: str) -> None:
    tokens = spoken(said, each=0.1, split=split)
    assert not any(hotword in line.lower() for line in lines(tokens))
    assert any(hotword in line.text.lower() for line in segment(tokens, LIMITS, frozenset({hotword, "其他"})))


def test_a_character_clings_only_where_it_is_a_word() -> None:
    """中 of 会议中 does, that of 中国 does not."""
    cut = ["代表们在发言里都热情称赞", "中国经济建设取得的成就"]
    assert lines(spoken("".join(cut), each=0.1)) == cut


def test_pieces_of_an_english_word_stay_together() -> None:
    words = ["we", "all", "thought", "that", "it", "isn", "'t", "going", "to", "be", "a", "problem", "for", "them"]
    tokens = [Token(word if word == "'t" else f" {word}", i / 10, i / 10 + 0.1, 1) for i, word in enumerate(words)]
    assert lines(tokens) == ["we all thought that it isn't", "going to be a problem for them"]


def test_a_line_does_not_end_with_a_word_that_leads_on() -> None:
    chinese = ["各位代表就下一步怎样", "把改革引向深入发表了意见"]
    assert lines(spoken("".join(chinese), each=0.1)) == chinese
    said = "believed that the future of energy was going to be electric and that somebody had to build the machines"
    for line in lines(spoken(said, each=0.1, split=" "))[:-1]:
        assert line.split()[-1] not in {"the", "of", "to", "and", "that"}


def test_a_pause_parts_what_it_leaves_readable() -> None:
    tokens = [*spoken("首先介绍一下背景"), *spoken("然后说明具体方案", start=2.6)]
    assert lines(tokens) == ["首先介绍一下背景", "然后说明具体方案"]


def test_a_hesitation_does_not_leave_a_character_alone() -> None:
    tokens = [*spoken("我"), *spoken("想说明一下具体方案", start=1.1)]
    assert lines(tokens) == ["我想说明一下具体方案"]
    long_silence = [*spoken("我"), *spoken("想说明一下具体方案", start=1.9)]
    assert lines(long_silence) == ["我", "想说明一下具体方案"]


def times(*tokens: Token, duration: float = 60.0) -> list[tuple[float, float]]:
    return [(line.start, line.end) for line in segment(tokens, LIMITS, duration=duration)]


def said(text: str, start: float, end: float, tail: float = 0.0) -> Token:
    return Token(text, start, end, 0.9, tail)


LONG = "一共有三百二十五个项目"
"""It is read in 22/18 s."""


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        pytest.param([said("好。", 1, 3), said("再见", 5, 7)], [(1, 3), (5, 7)], id="while it is said"),
        pytest.param([said("好。", 1, 3, 0.5), said("再见", 5, 7, 1)], [(1, 3.5), (5, 8)], id="while it may be heard"),
        pytest.param([said("好。", 1, 1.25), said("再见", 5, 5.25)], [(1, 1.8), (5, 5.8)], id="long enough to be seen"),
        pytest.param(
            [said(LONG + "。", 1, 1.25), said("好", 5, 6)], [(1, 1 + 24 / 18), (5, 6)], id="long enough to read"
        ),
        pytest.param([said("好。", 1, 1.25), said("再见", 1.5, 2.5)], [(1, 1.5), (1.5, 2.5)], id="until the next one"),
        pytest.param([said("好。", 1, 2, 2), said("再见", 2.5, 4)], [(1, 2.5), (2.5, 4)], id="though it may be heard"),
        pytest.param([said("好。", 1, 3), said("再见", 2, 4)], [(1, 2), (2, 4)], id="though it is still said"),
        pytest.param([said("好。", 1, 3), said("再见", 1, 4)], [(1, 1.001), (1.001, 4)], id="at least for a moment"),
        pytest.param(
            [said("好。", 2, 3), said("不。", 1, 4), said("再见", 2.5, 5)],
            [(2, 2.001), (2.001, 2.5), (2.5, 5)],
            id="and the next one after it",
        ),
    ],
)
def test_a_line_is_shown_from_its_first_word_on_and_until_it_is_read_or_the_next_begins(
    tokens: list[Token], shown: list[tuple[float, float]]
) -> None:
    assert times(*tokens) == [pytest.approx(line) for line in shown]


def test_the_last_line_ends_with_the_recording() -> None:
    assert times(said("好", 0, 0.3), duration=0.46) == [(0.0, 0.46)]
    assert times(said("好。", 1, 1.5), said("好", 2, 3), duration=2.5) == [(1, 1.8), (2, 2.5)]
    assert times(said("好。", 0, 0.3), said("好", 0.46, 0.48), duration=0.46) == [(0, 0.459), (0.459, 0.46)]


def test_a_slow_line_is_cut_in_time() -> None:
    cut = segment(spoken("一二三四五六七八", each=1.0), LIMITS)
    assert len(cut) > 1
    assert all(line.end - line.start <= LIMITS.seconds for line in cut)


def test_no_line_ends_with_a_title() -> None:
    said = "Mr. Smith and Dr. Jones met Mrs. Brown at St. Paul Street at 5 p.m. on Monday. They talked about the U.S. "
    cut = lines(spoken(said + "government for two hours.", each=0.15, split=" "))
    assert len(cut) == 4
    assert not any(line.endswith(("Mr.", "Dr.", "Mrs.", "St.", "U.S.")) for line in cut)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("เมื่อวานนี้ผู้ใหญ่บ้านได้ไปที่ทำเนียบรัฐบาลเพื่อยื่นหนังสือร้องเรียนเรื่องน้ำท่วม", id="Thai"),
        pytest.param("ມື້ນີ້ພວກເຮົາຈະໄປທີ່ຕະຫຼາດເພື່ອຊື້ເຄື່ອງແລະອາຫານສຳລັບຄອບຄົວຂອງພວກເຮົາແລະໝູ່ເພື່ອນ", id="Lao"),
        pytest.param("ဒီနေ့ကျွန်တော်တို့စျေးကိုသွားပြီးအသီးအနှံတွေဝယ်မယ်လို့စိတ်ကူးထားပါတယ်", id="Burmese"),
    ],
)
@pytest.mark.parametrize("columns_wide", [9, 12, 20])
def test_no_line_begins_with_a_mark_or_leaves_a_vowel_behind(text: str, columns_wide: int) -> None:
    cut = lines(spoken(text, each=0.05), SegmentLimits(columns=columns_wide))
    assert "".join(cut) == text
    assert len(cut) > 2
    for line in cut:
        assert not unicodedata.category(line[0]).startswith("M")
        assert line[0] not in "ะาำາຳະๅ"
        assert line[-1] not in "เแโใไເແໂໃໄ"


def test_a_pause_parts_no_vowel_from_its_consonant() -> None:
    early = [*spoken("ไปบ้านเ"), *spoken("พื่อนๆ", start=5.0)]
    assert lines(early) == ["ไปบ้านเพื่อนๆ"]


@pytest.mark.parametrize(
    "before", ["私", "私たち", "明日の会議では新しい", "会議では新しい", "明日から東京で会議では新しい"]
)
def test_no_katakana_word_is_parted(before: str) -> None:
    words = ["インターネットサービスプロバイダー", "アーキテクチャ", "コミュニケーション"]
    tokens = spoken(before + words[0] + "と" + words[1] + "の" + words[2] + "を説明します", each=0.05)
    cut = lines(tokens)
    for word in words:
        assert any(word in line for line in cut)


def test_a_katakana_word_wider_than_a_line_is_parted_as_little_as_can_be() -> None:
    assert len(lines(spoken("ア" * 60, each=0.02))) == 3


@pytest.mark.parametrize(
    ("pieces", "costs"),
    [
        pytest.param("今天|开会|，|明天|休息", [1, 101, 0.2, 1], id="after a comma, never before it"),
        pytest.param("a,”| b", [0.2], id="after a comma and what closes"),
        pytest.param("今|天开", [7], id="within a word"),
        pytest.param("改革|的|工作", [2, 1], id="before what clings"),
        pytest.param("会议|中|国", [1, 7], id="before what clings elsewhere"),
        pytest.param("把|改革|引向", [1.5, 1], id="after what leads on"),
        pytest.param(" all| of| the| men", [1, 1.5, 1.5], id="after what leads on in English"),
        pytest.param(" Mr.| Smith", [4], id="after a title"),
        pytest.param("安装|3|5|台", [1, 7, 3], id="before a measure after figures"),
        pytest.param("款式|K5|台", [1, 3], id="before a measure after a name with a figure"),
        pytest.param("安装|三十|五|台", [1, 7, 3], id="before a measure after a number"),
        pytest.param("统一|二|十", [1, 7], id="where a number begins: not in 统一"),
        pytest.param("统一|点名", [1], id="after 统一, which is no number"),
        pytest.param("十|点开会", [9], id="before the hour"),
        pytest.param(" ninety| five| men", [7, 1], id="in a number in words"),
        pytest.param(" ninety|  five| men", [1, 1], id="but not over more than a space"),
        pytest.param(" isn|'t| true", [7, 1], id="before an apostrophe"),
        pytest.param("用|Py|thon|写", [1, 7, 1], id="within letters"),
        pytest.param("私|ネ|ット|と", [1, 101, 1], id="within katakana"),
        pytest.param("เ|มือง", [101], id="after a vowel sign that stands before its consonant"),
        pytest.param("好|大语言|模型|好", [1, 7, 1], id="within a hotword"),
        pytest.param(" the| Large| Model| is", [1.5, 7, 1], id="within a hotword, in capitals"),
    ],
)
def test_what_a_break_costs(pieces: str, costs: list[float]) -> None:
    """In breaks between two words in the flow of speech."""
    tokens = [Token(piece, i, i + 1, 1) for i, piece in enumerate(pieces.split("|"))]
    hotwords, count = {5: {"大语言模型"}, 11: {"large model"}}, len(costs)
    assert list(_breaks(tokens, [0.0] * len(tokens), hotwords))[1:] == pytest.approx(costs)
    paused = list(_breaks(tokens, [0.0, *[0.25, 0.99, 1.0, 9.0][:count]], hotwords))[1:]
    assert np.subtract(costs, paused) == pytest.approx([0.25, 0.99, 3, 3][:count])


def cost_of(lines_: Sequence[Sequence[Token]], tokens: list[Token], limits: SegmentLimits) -> float:
    """What lines cost together, infinite if one of several tokens is too wide or too long."""
    pauses = [0.0, *(max(0.0, after.start - before.until) / limits.pause for before, after in pairwise(tokens))]
    breaks, cost, at = [*_breaks(tokens, pauses, {}), 0.0], 0.0, 0
    for line in lines_:
        at += len(line)
        width, length = columns("".join(token.text for token in line).lstrip()), line[-1].end - line[0].start
        if len(line) > 1 and (width > limits.columns or length > limits.seconds):
            return math.inf
        is_orphan = width < 8 and len(lines_) > 1
        cost += (1 - width / limits.columns) ** 2 + 3 * is_orphan + breaks[at]
    return cost


@given(
    words=st.lists(
        st.tuples(
            st.sampled_from(["发展", "新", "，", " growth", " in", " Mr.", "的", "三", "x" * 11]),
            st.sampled_from([0.125, 0.5, 2.5]),
            st.sampled_from([0.0, 0.0, 0.25, 0.75]),
        ),
        min_size=1,
        max_size=8,
    ),
    wide=st.sampled_from([10, 14, 20]),
)
def test_lines_cost_least_of_all_there_can_be(words: list[tuple[str, float, float]], wide: int) -> None:
    limits, tokens, at = SegmentLimits(columns=wide, seconds=3.0, pause=0.75), list[Token](), 0.0
    for word, length, pause in words:
        tokens.append(Token(word, at, at + length, 1, tail=0.125))
        at += length + 0.125 + pause
    made = _lines(tokens, limits, {})
    cuts = [[i for i in range(1, len(tokens)) if mask >> i & 1] for mask in range(0, 2 ** len(tokens), 2)]
    ways = [[tokens[a:b] for a, b in pairwise([0, *cut, len(tokens)])] for cut in cuts]
    if max((pause for _, _, pause in words[:-1]), default=0.0) < limits.pause and cost_of([tokens], tokens, limits) < 9:
        ways = [[tokens]]  # what fits is not parted
    assert [token for line in made for token in line] == tokens
    assert cost_of(made, tokens, limits) == pytest.approx(min(cost_of(way, tokens, limits) for way in ways))


@pytest.mark.parametrize("start", [0.0, 128.0])
@pytest.mark.parametrize("space", ["", " "])
def test_what_fits_is_not_parted_unless_the_pause_is_long(start: float, space: str) -> None:
    """Though after a comma, and in a pause, two lines would look better. It is 38 columns wide and takes 49/16 s."""

    def count(columns_: int, seconds: float, longest_pause: float) -> int:
        return len(lines(tokens, SegmentLimits(columns=columns_, seconds=seconds, pause=longest_pause)))

    tokens = spoken("我们坚持新发展理念，", start=start, each=1 / 8)
    tokens += spoken("构建新的发展格局吧", start=start + 31 / 16, each=1 / 8)
    tokens[0] = replace(tokens[0], text=space + tokens[0].text)
    assert count(38, 49 / 16, 0.75) == 1
    assert count(37, 49 / 16, 0.75) == count(38, 48 / 16, 0.75) == count(38, 49 / 16, 11 / 16) == 2


def test_lines_may_be_just_as_wide_and_as_long_as_the_limits() -> None:
    tokens = spoken("今天开会明天休息", each=0.125)
    assert lines(tokens, SegmentLimits(columns=8)) == ["今天开会", "明天休息"]
    assert lines(tokens, SegmentLimits(seconds=0.5)) == ["今天开会", "明天休息"]


def test_limits_have_defaults() -> None:
    tokens = spoken("我们坚持新发展理念推动高质量发展，构建新的发展格局", each=0.1)
    assert segment(tokens) == segment(tokens, SegmentLimits())


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


@given(tokens=anything(), hurry=st.sampled_from([0.02, 0.2, 1.0]))
def test_each_line_begins_with_what_is_said_in_it(tokens: list[Token], hurry: float) -> None:
    """No line puts off the next, however fast they follow each other, if their words do not overlap."""
    spoken_ = [replace(token, start=i * hurry, end=(i + 1) * hurry, tail=5 * hurry) for i, token in enumerate(tokens)]
    made = segment(spoken_, LIMITS)
    assert [line.start for line in made] == [line.tokens[0].start for line in made]
    assert all(before.end <= after.start for before, after in pairwise(made))


@given(tokens=anything())
def test_lines_hold_every_token_once_and_fit(tokens: list[Token]) -> None:
    made = segment(tokens, LIMITS)
    assert [token for line in made for token in line.tokens] == [token for token in tokens if token.text.strip()]
    for line in made:
        assert len(line.tokens) == 1 or columns(line.text) <= LIMITS.columns
