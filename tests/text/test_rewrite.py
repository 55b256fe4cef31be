"""New words in old stretches of tokens: the text changes, the outer times stay."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.text.rewrite import Rewrite, differences, rewrite
from funasr_cli.transcript import Token, join


def spoken(*texts: str) -> list[Token]:
    """Tokens of 0.2 s, a second apart, each less sure than the one before, heard for 0.1 s longer."""
    return [Token(text, float(at), at + 0.2, 0.9 - at / 10, tail=0.1) for at, text in enumerate(texts)]


def shown(tokens: list[Token]) -> list[tuple[str, float, float]]:
    return [(token.text, pytest.approx(token.start), pytest.approx(token.end)) for token in tokens]


def test_a_chinese_character_for_another_changes_no_time() -> None:
    tokens = spoken("心", "发展，", "隔", "局。”")
    assert rewrite(tokens, [Rewrite(0, 1, "新"), Rewrite(4, 6, "格局")]) == [
        Token("新", 0.0, 0.2, 0.9, 0.1),
        tokens[1],
        Token("格", 2.0, 2.2, 0.7, 0.1),
        tokens[3],
    ]


def test_a_shorter_text_takes_the_time_of_what_it_replaces() -> None:
    tokens = spoken("增", "百", "分", "之", "五，", "好")
    made = rewrite(tokens, [Rewrite(1, 5, "5%")])
    assert shown(made) == [("增", 0.0, 0.2), ("5%，", 1.0, 4.2), ("好", 5.0, 5.2)]
    assert made[1].confidence == pytest.approx((0.8 + 0.7 + 0.6 + 0.5) / 4)
    assert made[1].tail == 0.1
    assert (made[0], made[2]) == (tokens[0], tokens[5])


def test_new_text_is_cut_into_characters_and_words_in_proportion() -> None:
    made = rewrite(spoken("二零二四年三月"), [Rewrite(0, 7, "2024年3月")])
    assert shown(made) == [
        ("2024", 0.0, 0.2 * 4 / 7),
        ("年", 0.2 * 4 / 7, 0.2 * 5 / 7),
        ("3", 0.2 * 5 / 7, 0.2 * 6 / 7),
        ("月", 0.2 * 6 / 7, 0.2),
    ]
    assert [token.tail for token in made] == [0, 0, 0, 0.1]


def test_words_keep_their_spaces() -> None:
    tokens = spoken(" on", " March", " fifth,", " twenty", "-four.")
    made = rewrite(tokens, [Rewrite(10, 15, "5"), Rewrite(17, 28, "24")])
    assert shown(made) == [(" on", 0.0, 0.2), (" March", 1.0, 1.2), (" 5,", 2.0, 2.2), (" 24.", 3.0, 4.2)]


def test_what_stands_outside_the_stretch_stays_with_its_share_of_the_time() -> None:
    made = rewrite(spoken("“我们二", "十", "个人”"), [Rewrite(3, 5, "20")])
    assert shown(made) == [("“我们", 0.0, 0.4 / 3), ("20", 0.4 / 3, 1.2), ("个人”", 2.0, 2.2)]


def test_a_mark_in_front_stays_in_front() -> None:
    made = rewrite(spoken("“二", "十", "个”"), [Rewrite(1, 3, "20")])
    assert shown(made) == [("“20", 0.0, 1.2), ("个”", 2.0, 2.2)]
    assert shown(rewrite(spoken("有（", "二", "十）"), [Rewrite(2, 4, "20")])) == [
        ("有（", 0.0, 0.2),
        ("20）", 1.0, 2.2),
    ]


@given(
    texts=st.lists(st.text("发展 ，two", min_size=1, max_size=5).filter(str.strip), min_size=1, max_size=8),
    data=st.data(),
)
def test_the_text_is_what_the_changes_say_and_times_stay_in_bounds(texts: list[str], data: st.DataObject) -> None:
    tokens = spoken(*texts)
    text = "".join(texts)
    borders = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    changes = [
        Rewrite(start, end, data.draw(st.sampled_from(["新", "5%", "2024年", "a b"])))
        for start, end in zip(borders[::2], borders[1::2], strict=False)
    ]
    expected, at = "", 0
    for change in changes:
        expected += text[at : change.start] + change.text
        at = change.end
    made = rewrite(tokens, changes)
    assert join(made) == (expected + text[at:]).strip()
    assert all(0 <= token.start <= token.end <= len(texts) for token in made)
    assert all(a.start <= b.start for a, b in pairwise(made))


def test_a_change_beyond_the_text_is_refused() -> None:
    for start in (1, 2):
        with pytest.raises(ValueError, match="beyond the 2 characters"):
            rewrite(spoken("二", "十"), [Rewrite(start, 3, "20")])


def test_differences_are_single_characters_or_the_whole() -> None:
    assert differences("头发发展", "頭髮發展") == [Rewrite(0, 1, "頭"), Rewrite(1, 2, "髮"), Rewrite(2, 3, "發")]
    assert differences("一样", "一样") == []
    assert differences("软件", "軟體呀") == [Rewrite(0, 2, "軟體呀")]
