"""Cues within chosen limits: they lose no word, break nothing that belongs together, and are shown in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.cue_layout import BALANCE, CueLayout, characters, columns, strict_columns
from funasr_cli.text.cue_presets import CUE_PRESETS
from funasr_cli.text.cue_times import MIN_BEFORE_GAP_S, cue_times, join_short
from funasr_cli.text.options import SegmentLimits
from funasr_cli.text.quantities import quantities
from funasr_cli.text.sentences import sentences
from funasr_cli.text.subtitle_lines import _breaks, segment
from funasr_cli.transcript import Segment, Token

STRICT = SegmentLimits(strict=True)

EPSILON = 1e-9


def spoken(text: str, *, start: float = 0.0, each: float = 0.2, split: str = "") -> list[Token]:
    """Tokens of equal length without pauses: words with their spaces for `split=" "`, else characters."""
    words = [f" {word}" for word in text.split(split)] if split else list(text)
    return [Token(word, start + i * each, start + (i + 1) * each, 0.9) for i, word in enumerate(words)]


def lines(tokens: list[Token], limits: SegmentLimits, *hotwords: str) -> list[tuple[str, ...]]:
    return [cue.lines for cue in segment(tokens, limits, frozenset(hotwords))]


# Any speech, any limits.


@st.composite
def speech(draw: st.DrawFn) -> list[Token]:
    """Tokens in order of time that do not overlap."""
    tokens, at = [], 0.0
    words = [
        "发",
        "展",
        "增长",
        "百分之五",
        " growth",
        " in",
        "。",
        "，",
        " 3.5",
        "亿",
        "元",
        " ",
        "好。",
        "x" * 30,
        "《",
        "》",
    ]
    for _ in range(draw(st.integers(0, 40))):
        length = draw(st.sampled_from([0.0625, 0.25, 0.5, 3.0]))
        tokens.append(Token(draw(st.sampled_from(words)), at, at + length, 0.5, draw(st.sampled_from([0.0, 0.5]))))
        at += length + draw(st.sampled_from([0.0, 0.0, 0.0, 0.25, 1.0, 3.0]))
    return tokens


@st.composite
def any_limits(draw: st.DrawFn) -> SegmentLimits:
    seconds = draw(st.sampled_from([1.0, 2.5, 7.0]))
    return SegmentLimits(
        columns=draw(st.sampled_from([2, 7, 16, 42])),
        lines=draw(st.integers(1, 3)),
        seconds=seconds,
        min_seconds=draw(st.sampled_from([None, 0.0, 0.5, 1.0])),
        characters_per_s=draw(st.sampled_from([None, 4.0, 17.0])),
        gap=draw(st.sampled_from([0.0, 0.125, 0.5])),
        strict=True,
    )


def end_of(tokens: Sequence[Token]) -> float:
    return tokens[-1].end + 1 if tokens else 1.0


@given(tokens=speech(), limits=any_limits())
def test_no_word_is_lost_or_changed(tokens: list[Token], limits: SegmentLimits) -> None:
    cues = segment(tokens, limits, duration=end_of(tokens))
    assert [token for cue in cues for token in cue.tokens] == [token for token in tokens if token.text.strip()]
    for cue in cues:
        assert "".join(cue.lines).replace(" ", "") == cue.text.replace(" ", "")
        assert all(line and line == line.strip() for line in cue.lines)


@given(tokens=speech(), limits=any_limits())
def test_no_line_is_too_wide_and_no_cue_has_too_many(tokens: list[Token], limits: SegmentLimits) -> None:
    for cue in segment(tokens, limits, duration=end_of(tokens)):
        assert len(cue.lines) <= limits.lines
        for line in cue.lines:
            assert strict_columns(line) <= limits.columns or len(cue.tokens) == 1


@given(tokens=speech(), limits=any_limits())
def test_cues_are_shown_in_time(tokens: list[Token], limits: SegmentLimits) -> None:
    duration = end_of(tokens)
    cues = segment(tokens, limits, duration=duration)
    assert [cue.start for cue in cues] == [cue.tokens[0].start for cue in cues]
    assert all(cue.start < cue.end <= duration for cue in cues)
    for cue in cues:
        assert cue.end - cue.start <= limits.seconds + EPSILON
        assert cue.tokens[-1].end - cue.tokens[0].start <= limits.seconds or len(cue.tokens) == 1
    for cue, after in pairwise(cues):
        gap = after.start - cue.end
        assert gap >= 0
        assert gap >= limits.gap - EPSILON or cue.end - cue.start <= MIN_BEFORE_GAP_S + EPSILON


@given(tokens=speech(), limits=any_limits())
def test_a_cue_is_short_only_if_it_has_neither_time_nor_a_neighbour(tokens: list[Token], limits: SegmentLimits) -> None:
    duration, least = end_of(tokens), limits.min_seconds or 0.0
    cues = segment(tokens, limits, duration=duration)
    for before, after in pairwise(cues):
        both = [*before.tokens, *after.tokens]
        is_one = len(segment(both, replace(limits, pause=math.inf, min_seconds=None))) == 1
        is_near = after.start - before.tokens[-1].until < 2 * limits.pause
        if is_one and is_near and all(not token.text.endswith("。") for token in before.tokens):
            assert room(before, after.start - limits.gap) >= least
            following = next((cue.start - limits.gap for cue in cues if cue.start > after.start), duration)
            assert room(after, following) >= least


def room(cue: Segment, until: float) -> float:
    return until - cue.start + EPSILON


def old_lines(tokens: Sequence[Token], limits: SegmentLimits) -> list[Sequence[Token]]:
    """The lines of version 0.1.0, which had neither cues of several lines nor pieces."""
    count = len(tokens)
    ends = [0, *accumulate(columns(token.text) for token in tokens)]
    begins = [end + len(token.text) - len(token.text.lstrip()) for end, token in zip(ends, tokens, strict=False)]
    pauses = [0.0, *(max(0.0, after.start - before.until) / limits.pause for before, after in pairwise(tokens))]
    seconds = tokens[-1].end - tokens[0].start
    if ends[-1] - begins[0] <= limits.columns and seconds <= limits.seconds and max(pauses) < 1:
        return [tokens]
    breaks = [*_breaks(tokens, pauses, {}), 0.0]
    costs, firsts = [0.0], [0]
    for end in range(1, count + 1):
        best, first = math.inf, end - 1
        for begin in range(end - 1, -1, -1):
            width = ends[end] - begins[begin]
            fits = width <= limits.columns and tokens[end - 1].end - tokens[begin].start <= limits.seconds
            if not fits and begin < end - 1:
                break
            cost = costs[begin] + (1 - width / limits.columns) ** 2 + 3.0 * (width < 8 and end - begin < count)
            if cost < best:
                best, first = cost, begin
        costs.append(best + breaks[end])
        firsts.append(first)
    made: list[Sequence[Token]] = []
    while count:
        made.append(tokens[firsts[count] : count])
        count = firsts[count]
    return made[::-1]


@given(tokens=speech(), limits=st.sampled_from([SegmentLimits(), SegmentLimits(columns=10, seconds=3.0)]))
def test_what_was_not_limited_is_as_it_was(tokens: list[Token], limits: SegmentLimits) -> None:
    words = [token for token in tokens if token.text.strip()]
    old = [tuple(line) for part in sentences(words, 2 * limits.pause) for line in old_lines(part, limits)]
    cues = segment(tokens, limits, duration=end_of(tokens))
    assert [cue.tokens for cue in cues] == old
    assert all(cue.lines == (cue.text,) for cue in cues)


# Lines.


def test_a_cue_has_a_second_line_only_if_the_first_is_full() -> None:
    text = "我们坚持新发展理念推动高质量发展，构建新的发展格局"
    two = replace(STRICT, lines=2, columns=36)
    assert lines(spoken(text, each=0.1), two) == [("我们坚持新发展理念推动高质量发展，", "构建新的发展格局")]
    assert lines(spoken(text, each=0.1), replace(two, columns=50)) == [(text,)]
    assert lines(spoken(text, each=0.1), replace(two, lines=1)) == [(text[:17],), (text[17:],)]


def test_lines_of_a_cue_are_balanced() -> None:
    words = "it was a bright cold day in April and all the clocks were striking thirteen"
    ((above, below),) = lines(spoken(words, each=0.1, split=" "), replace(STRICT, lines=2))
    assert abs(len(above) - len(below)) <= 10
    assert f"{above} {below}" == words


def test_a_comma_breaks_a_line_unless_what_is_before_it_is_short() -> None:
    late = "when the rain stopped, we went back to the old house by the river"
    early = "so today, we went back to the old house by the river at night"
    limits = replace(STRICT, lines=2)
    assert lines(spoken(late, each=0.1, split=" "), limits)[0][0] == "when the rain stopped,"
    assert lines(spoken(early, each=0.1, split=" "), limits)[0][0] != "so today,"


def test_three_lines_are_three_only_if_two_do_not_hold_the_text() -> None:
    words = " ".join(["stone"] * 12)
    limits = replace(STRICT, lines=3, columns=24)
    assert [len(cue) for cue in lines(spoken(words, each=0.1, split=" "), limits)] == [3]
    assert [len(cue) for cue in lines(spoken(words[:47], each=0.1, split=" "), limits)] == [2]


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("今年我们公司的发电量达到了三百五十万千瓦时左右的水平", "三百五十万千瓦时"),
        ("今年我们公司的装机容量一共达到了3500万千瓦左右的水平", "3500万千瓦"),
        ("今年我们公司的营业收入一共达到了3.5亿元左右的水平", "3.5亿元"),
        ("今年我们公司的营业收入一共增长了百分之八点五左右", "百分之八点五"),
        ("会议决定我们要在明年也就是2026年12月1日以前全部完成", "2026年12月1日"),
        ("会议决定我们要在今天上午也就是9点30分以前全部完成", "9点30分"),
        ("今年我们公司一共检修了35台机组并且全部投入使用", "35台"),
        ("今天我们一起来学习怎么用Python写一个小的程序", "Python"),
        ("我们公司发布了千亿参数的大语言模型并且取得了好成绩", "大语言模型"),
        ("今天我们学习《关于深化改革的若干意见》这份文件", "《关"),
    ],
)
@pytest.mark.parametrize("columns_wide", [18, 20, 22, 24, 26, 28, 30])
@pytest.mark.parametrize("count", [1, 2])
def test_what_belongs_together_is_never_split(said: str, whole: str, columns_wide: int, count: int) -> None:
    limits = replace(STRICT, columns=columns_wide, lines=count)
    made = lines(spoken(said, each=0.1), limits, "大语言模型")
    assert any(whole in line for cue in made for line in cue)


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("the company reported a revenue of 5.2 million dollars in the third quarter", "5.2 million dollars"),
        ("the price of the shares went up by twenty three percent on that day", "twenty three percent"),
        ("we drove for about 20 km on the old road before we stopped", "20 km"),
        ("the meeting of the board begins at 9:30 a.m. in the large room", "9:30 a.m."),
        ("they have a new machine learning program for the students", "machine learning program"),
    ],
)
@pytest.mark.parametrize("columns_wide", range(24, 44, 3))
def test_a_number_and_its_unit_are_never_split_in_english(said: str, whole: str, columns_wide: int) -> None:
    made = lines(spoken(said, each=0.1, split=" "), replace(STRICT, columns=columns_wide), "machine learning program")
    assert any(whole in line for cue in made for line in cue)


def test_a_space_parts_no_measure_from_its_number() -> None:
    tokens = [*spoken("今年我们公司一共检修了35", each=0.1), Token(" 台", 1.3, 1.4, 0.9)]
    for wide in range(18, 28):
        made = lines(tokens, replace(STRICT, columns=wide))
        assert any("35 台" in line for cue in made for line in cue)


def test_what_is_wider_than_a_line_is_split_in_the_end() -> None:
    made = lines(spoken("关于" + "超长热词" * 5 + "的说明", each=0.1), replace(STRICT, columns=10), "超长热词" * 5)
    assert max(strict_columns(line) for cue in made for line in cue) <= 10


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("约35 台", ["35 台"]),
        ("20多万人次", ["20多万人"]),
        ("第35届", ["第35届"]),
        ("占百分之85", ["百分之85"]),
        ("从10:30到11:00", ["10:30", "11:00"]),
        ("用了3小时20分钟", ["3小时20分钟", "3小时", "20分钟"]),
        ("二零二六年十二月一日", ["二零二六年十二月一日"]),
        ("$ 5 million dollars a year", ["$ 5 million dollars", "million dollars"]),
        ("five percent of them", ["five percent"]),
        ("20 kmh", ["20"]),
        ("3台湾", ["3"]),
    ],
)
def test_quantities_have_their_units(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in quantities(text, [])] == found


@given(
    widths=st.lists(st.integers(1, 12), min_size=1, max_size=7),
    costs=st.lists(st.sampled_from([0.2, 1.0, 1.5, 7.0]), min_size=8, max_size=8),
    most=st.integers(1, 4),
)
def test_a_layout_is_the_cheapest_of_the_shortest(widths: list[int], costs: list[float], most: int) -> None:
    ends = [0, *accumulate(widths)]
    count = len(widths)
    found = CueLayout(ends[:-1], ends, costs, 12).lay_out(0, count, most)
    ways: list[tuple[int, float]] = []
    for mask in range(2 ** (count - 1)):
        cut = [0, *(i for i in range(1, count) if mask >> (i - 1) & 1), count]
        wide = [ends[b] - ends[a] for a, b in pairwise(cut)]
        if max(wide) <= 12:
            unequal = sum((width - ends[-1] / len(wide)) ** 2 for width in wide)
            ways.append((len(wide), BALANCE * unequal / 12**2 + sum(costs[at] for at in cut[1:-1])))
    fewest = min(ways)[0]
    if fewest > most:
        assert found is None
    else:
        assert found is not None
        assert len(found[1]) == fewest - 1
        assert found[0] == pytest.approx(min(cost for count, cost in ways if count == fewest))


# Widths.


def test_marks_and_joiners_have_no_width() -> None:
    assert strict_columns("发e\u0301") == 3
    assert strict_columns("ที่นี่") == 2
    assert strict_columns("\u200d") == 0
    assert columns("\u200d") == 1


def test_narrow_characters_count_half_among_wide_ones() -> None:
    assert characters("Good day, Zoe\u0308.") == 14
    assert characters("增长 35%。") == 5


# Times.


def shown(limits: SegmentLimits, *cues: list[Token], duration: float = 60.0) -> list[tuple[float, float]]:
    return [(round(start, 6), round(end, 6)) for start, end in cue_times(cues, limits, duration)]


def said(text: str, start: float, end: float, tail: float = 0.0) -> list[Token]:
    return [Token(text, start, end, 0.9, tail)]


@pytest.mark.parametrize(
    ("limits", "times"),
    [
        pytest.param(STRICT, [(1, 1.8), (3, 4)], id="0.8 s by default"),
        pytest.param(replace(STRICT, min_seconds=1.5), [(1, 2.5), (3, 4.5)], id="at least so long"),
        pytest.param(replace(STRICT, min_seconds=2.5), [(1, 3), (3, 5.5)], id="as far as the next one permits"),
        pytest.param(replace(STRICT, min_seconds=2.5, gap=0.25), [(1, 2.75), (3, 5.5)], id="with a gap"),
        pytest.param(replace(STRICT, characters_per_s=2.0), [(1, 2.5), (3, 5)], id="until it is read"),
        pytest.param(replace(STRICT, characters_per_s=0.5), [(1, 3), (3, 10)], id="never longer than the longest"),
        pytest.param(replace(STRICT, seconds=0.5), [(1, 1.5), (3, 3.5)], id="never longer than the longest by default"),
    ],
)
def test_a_cue_stays_in_the_silence_after_it(limits: SegmentLimits, times: list[tuple[float, float]]) -> None:
    assert shown(limits, said("好吧。", 1, 1.25), said("明天再见", 3, 4)) == times


def test_the_last_cue_ends_with_the_recording() -> None:
    limits = replace(STRICT, min_seconds=2.0, gap=0.5)
    assert shown(limits, said("好吧。", 1, 1.25), duration=2.0) == [(1, 2)]


def test_a_gap_leaves_a_cue_long_enough_to_be_seen() -> None:
    limits = replace(STRICT, gap=0.5)
    assert shown(limits, said("好", 1, 2), said("好", 2, 3))[0] == (1, 1.5)
    assert shown(limits, said("好", 1, 1.6), said("好", 1.6, 3))[0] == (1, 1.3)
    assert shown(limits, said("好", 1, 1.2), said("好", 1.2, 3))[0] == (1, 1.2)


def test_speech_that_is_too_fast_to_read_remains_as_it_is() -> None:
    tokens = spoken("说得太快的话谁也来不及读完", each=0.05)
    (cue,) = segment(tokens, replace(STRICT, characters_per_s=5.0), duration=0.65)
    assert (cue.start, cue.end) == (0.0, 0.65)


def joined(limits: SegmentLimits, *cues: list[Token], fits: int = 99, duration: float = 60.0) -> list[str]:
    made = join_short(cues, limits, duration, lambda cue: len(cue) <= fits)
    return ["".join(token.text for token in cue) for cue in made]


def test_a_cue_that_has_no_time_is_joined() -> None:
    limits = replace(STRICT, min_seconds=1.0)
    first, second, third = said("好", 0, 2), said("对", 2, 2.5), said("谢谢", 2.5, 4)
    assert joined(limits, first, second, third) == ["好对", "谢谢"]
    assert joined(limits, first, second, third, fits=1) == ["好", "对", "谢谢"]
    assert joined(limits, said("好。", 0, 2), second, third) == ["好。", "对谢谢"]
    assert joined(limits, said("好", 0, 1.5), second, third) == ["好", "对谢谢"]
    assert joined(limits, said("好", 0, 2), said("对", 2, 2.5), duration=2.75) == ["好对"]
    assert joined(limits, said("好", 0, 2), said("对", 2, 2.5), duration=3) == ["好", "对"]
    assert joined(replace(limits, gap=0.5), said("好", 0, 1.25), said("对", 1.25, 3)) == ["好对"]


def test_no_cue_is_joined_to_what_is_too_long_or_in_another_language() -> None:
    limits = replace(STRICT, min_seconds=1.0, seconds=2.0)
    assert joined(limits, said("好", 0, 2), said("对", 2, 2.5), said("谢谢", 2.5, 4.5)) == ["好", "对", "谢谢"]
    english = [replace(said(" yes", 2, 2.5)[0], language="en")]
    assert joined(limits, said("好", 1, 2), english, said("谢谢", 2.5, 3.5)) == ["好", " yes", "谢谢"]


def test_no_cue_is_joined_over_a_long_pause() -> None:
    limits = replace(STRICT, min_seconds=1.0)
    assert joined(limits, said("好", 0, 1), said("对", 2.5, 3), duration=3) == ["好对"]
    assert joined(limits, said("好", 0, 1), said("对", 2.625, 3), duration=3) == ["好", "对"]


def test_many_short_cues_become_one() -> None:
    tokens = [token for at in range(4) for token in said("好。", at / 4, at / 4 + 0.25)]
    assert [cue.text for cue in segment(tokens, replace(STRICT, min_seconds=1.0), duration=9.0)] == ["好。好。好。好。"]
    assert len(segment(tokens, STRICT, duration=9.0)) == 4


# Limits.


@pytest.mark.parametrize("preset", CUE_PRESETS)
def test_presets_are_strict_and_have_all_limits(preset: str) -> None:
    limits = CUE_PRESETS[preset]
    assert limits.strict
    assert limits.lines == 2
    assert limits.min_seconds is not None
    assert limits.characters_per_s is not None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": 1}, "1 columns"),
        ({"lines": 0}, "at least one line"),
        ({"seconds": 0.0}, "longer than 0 s"),
        ({"gap": -0.1}, "must not be negative"),
        ({"min_seconds": 8.0}, "8 s, is more than the maximum, 7 s"),
        ({"min_seconds": -1.0}, "must not be negative"),
        ({"characters_per_s": 0.0}, "more than 0"),
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SegmentLimits(**wrong)  # type: ignore[arg-type]
