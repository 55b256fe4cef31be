"""Hotword files: what people write, and the warnings they get."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.errors import UsageError
from funasr_cli.hotwords import Hotword, read_hotwords


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def words(*paths: Path) -> list[tuple[str, float]]:
    return [(word.text, word.weight) for word in read_hotwords(paths).words]


def warnings(tmp_path: Path, text: str) -> list[str]:
    path = write(tmp_path / "gov.txt", text)
    return [warning.removeprefix(f"{path}:") for warning in read_hotwords([path]).warnings]


def test_a_word_a_line_with_or_without_a_weight(tmp_path: Path) -> None:
    path = write(
        tmp_path / "gov.txt", "# 政府\n新发展格局 40\n\n一带一路\nmachine  learning :12.5 # 机器学习\nC#:5\n5G\n"
    )
    assert words(path) == [("新发展格局", 40), ("一带一路", 20), ("machine learning", 12.5), ("C#", 5), ("5G", 20)]
    assert read_hotwords([path]).warnings == ()
    assert read_hotwords([path]).words[1].where == f"{path}:4"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff碳达峰 30\n碳中和\n", id="byte order mark"),
        pytest.param("碳达峰 30\r\n碳中和\r\n", id="CRLF"),
        pytest.param("　碳达峰　３０\n碳中和　　\n", id="full-width spaces and digits"),
        pytest.param("碳达峰\t30\n\u200b碳中和\ufeff", id="tabs, invisible characters, no end of line"),
    ],
)
def test_what_editors_make_of_a_file_is_tolerated(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "energy.txt", text)
    assert words(path) == [("碳达峰", 30), ("碳中和", 20)]
    assert read_hotwords([path]).warnings == ()


@pytest.mark.parametrize("text", ["碳达峰 30\n朱镕基\n", "發電\n鄉村振興 5\n"], ids=["simplified", "traditional"])
def test_gb18030_is_recognised(tmp_path: Path, text: str) -> None:
    assert words(write(tmp_path / "a.txt", text, "gb18030")) == words(write(tmp_path / "b.txt", text))


@pytest.mark.parametrize(
    "text",
    [
        "张喆\n田垚\n犇犇\n李㛃\n𬱖川\n郭䶮\n刘𠅤\n",
        "王喆 30\n李堃\n刘彧\n",
        "赵珺\n郑珅\n毛翾\n黄翯\n",
        "卢㛃:30\n𬀩𬀩\n",
    ],
)
def test_gb18030_lists_of_rare_names_are_read(tmp_path: Path, text: str) -> None:
    assert words(write(tmp_path / "a.txt", text, "gb18030")) == words(write(tmp_path / "b.txt", text))


@pytest.mark.parametrize(
    ("encoding", "text", "what"),
    [
        ("utf-16", "碳达峰", "is UTF-16"),
        ("utf-16-le", "碳达峰一带一路", "is UTF-16LE"),
        ("utf-16-le", "一带一路\n碳达峰 30\n", "is UTF-16LE"),
        ("utf-16-be", "一带一路\n碳达峰 30\n", "is UTF-16BE"),
        ("utf-16-le", "machine learning\n", "is UTF-16LE"),
        ("big5", "發電\n鄉村振興", "is big5"),
        ("shift_jis", "日本語の音声認識", "is neither UTF-8 nor GB18030 text"),
        ("shift_jis", "カタカナ\nひらがな", "is neither UTF-8 nor GB18030 text"),
        ("latin-1", "Zürich\nMüller", "is neither UTF-8 nor GB18030 text"),
        ("latin-1", "café déjà", "is neither UTF-8 nor GB18030 text"),
    ],
)
def test_other_encodings_are_refused_by_name(tmp_path: Path, encoding: str, text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as raised:
        words(write(tmp_path / "a.txt", text, encoding))
    assert "iconv -f" in str(raised.value)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    for text in ("RIFF\0\0\0", "RIFF\0\0\0\0", "碳达峰\0"):
        with pytest.raises(UsageError, match="zero bytes"):
            words(write(tmp_path / "a.txt", text))
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        words(tmp_path / "nothing.txt")


@pytest.mark.parametrize(
    ("name", "meant"), [("gvo", " Did you mean gov?"), ("lists/Gov.txt", " Did you mean gov?"), ("my-names.txt", "")]
)
def test_if_a_file_is_missing_the_lists_that_ship_are_named(tmp_path: Path, name: str, meant: str) -> None:
    with pytest.raises(UsageError) as raised:
        words(tmp_path / name)
    assert raised.value.hint == f"Built-in lists: energy, finance, gov, tech.{meant}"


def test_several_files_are_one_list_in_which_the_first_mention_counts(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.txt", "碳达峰 30\n"), write(tmp_path / "2.txt", "碳中和\n碳达峰 50\n")
    found = read_hotwords([one, two])
    assert found.words == (Hotword("碳达峰", 30), Hotword("碳中和"))
    assert found.warnings == (f"{two}:2: 碳达峰 is already in {one}:1; that line counts",)


@pytest.mark.parametrize(
    ("line", "weight", "warning"),
    [
        ("碳达峰 0", 1, "1: the weight 0 is not between 1 and 100; 1 is used"),
        ("碳达峰 -5", 1, "1: the weight -5 is not between 1 and 100; 1 is used"),
        ("碳达峰 1000", 100, "1: the weight 1000 is not between 1 and 100; 100 is used"),
    ],
)
def test_absurd_weights_are_bounded(tmp_path: Path, line: str, weight: float, warning: str) -> None:
    assert warnings(tmp_path, line) == [warning]
    assert words(tmp_path / "gov.txt") == [("碳达峰", weight)]


@pytest.mark.parametrize(
    ("line", "word", "weight", "warning"),
    [
        ("大模型 1e3", "大模型", 100, "the weight 1e3 is not between 1 and 100; 100 is used"),
        ("大模型 2e1", "大模型", 20, None),
        ("大模型 .5", "大模型", 1, "the weight .5 is not between 1 and 100; 1 is used"),
        ("智能体 NaN", "智能体", 20, "the weight NaN is not a number; 20 is used"),
        ("智能体 inf", "智能体", 20, "the weight inf is not a number; 20 is used"),
        ("智能体 30%", "智能体", 20, "the weight 30% is not a number; 20 is used"),
        ("智能体 30，", "智能体", 20, "the weight 30, is not a number; 20 is used"),
        ("AI 大模型 ３０．５", "AI 大模型", 30.5, None),
        ("二十大 20 30", "二十大", 30, "20 30 is more than one weight; the last counts"),
        ("iPhone 15 30", "iPhone 15", 30, None),
        ("iPhone 15 Pro", "iPhone 15 Pro", 20, None),
        ("Python 3.5.1", "Python 3.5.1", 20, None),
        ("Ho Nan", "Ho Nan", 20, None),
        ("比亚迪 2024款", "比亚迪 2024款", 20, None),
        ("12306 30", "12306", 30, None),
    ],
)
def test_what_stands_behind_a_word_is_its_weight_or_is_told(
    tmp_path: Path, line: str, word: str, weight: float, warning: str | None
) -> None:
    assert warnings(tmp_path, line) == ([f"1: {warning}"] if warning else [])
    assert words(tmp_path / "gov.txt") == [(word, weight)]


@pytest.mark.parametrize(
    ("line", "word", "weight"),
    [
        ("深度学习 :2.0", "深度学习", 2),
        ("阿里巴巴:20", "阿里巴巴", 20),
        ("达摩院：３０", "达摩院", 30),
        ("智谱^5", "智谱", 5),
        ("智谱 ^ 50 # 注", "智谱", 50),
        ("PAN LEFT :30.0", "PAN LEFT", 30),
        ("SPEECH RECOGNITION :40 #0.6", "SPEECH RECOGNITION", 40),
        ("iPhone 15 :30", "iPhone 15", 30),
        ("AI大模型:2e1", "AI大模型", 20),
        ('"Windows 11"', "Windows 11", 20),
        ('"Windows  11" 30', "Windows 11", 30),
        ("“Mate 60”：40", "Mate 60", 40),
        ("“人工智能” ^ 30", "人工智能", 30),
        ("16:9", "16:9", 20),
        ("F 16", "F 16", 20),
        ("Office 2019", "Office 2019", 20),
        ("世博会 2010", "世博会 2010", 20),
        ("比亚迪 2024 30", "比亚迪 2024", 30),
    ],
)
def test_words_and_weights_as_other_tools_write_them(tmp_path: Path, line: str, word: str, weight: float) -> None:
    assert warnings(tmp_path, line + "\n重要:30\n") == []
    assert words(tmp_path / "gov.txt") == [(word, weight), ("重要", 30)]


def test_weights_of_another_scale_are_pointed_out(tmp_path: Path) -> None:
    assert warnings(tmp_path, "深度学习 :2.0\n昇腾芯片 :3.5\n") == [
        " no weight is above 3.5; the default here is 20 and the maximum 100"
    ]
    assert warnings(tmp_path, "深度学习 :2.0\n昇腾芯片 :35\n") == []


@pytest.mark.parametrize(
    "line", ["我家鸽鸽 = 我家哥哥", "毫安时=mAh", "毫安时 => mAh", "毫安时 -> mAh", "毫安时→mAh", "毫安时 ＝ mAh # 注"]
)
def test_a_rule_is_no_hotword(tmp_path: Path, line: str) -> None:
    (warning,) = warnings(tmp_path, f"{line}\n一带一路\n")
    assert warning.startswith("1: ")
    assert "is ignored: it looks like a rule; write only the word: " in warning
    assert words(tmp_path / "gov.txt") == [("一带一路", 20)]


def test_a_number_behind_letters_is_a_weight_and_a_warning_says_how_it_is_a_word(tmp_path: Path) -> None:
    assert warnings(tmp_path, "Windows 11\n华为 Mate 60\n12306 30\nAI 大模型 30\n") == [
        '1: 11 is read as the weight of Windows; write "Windows 11" in quotes if it is part of the word',
        '2: 60 is read as the weight of 华为 Mate; write "华为 Mate 60" in quotes if it is part of the word',
    ]
    assert words(tmp_path / "gov.txt") == [("Windows", 11), ("华为 Mate", 60), ("12306", 30), ("AI 大模型", 30)]


def test_numbers_that_tell_words_apart_are_parts_of_them(tmp_path: Path) -> None:
    text = "iPhone 15\niphone 16 # 新\n华为 Mate 60\n华为 Mate 70\nQwen 2.5\nQwen 3\nGPT 30\nGPT 30\n"
    assert warnings(tmp_path, text)[0].startswith("7: 30 is read as the weight of GPT")
    names = ["iPhone 15", "iphone 16", "华为 Mate 60", "华为 Mate 70", "Qwen 2.5", "Qwen 3"]
    assert words(tmp_path / "gov.txt") == [*((name, 20) for name in names), ("GPT", 30)]


@pytest.mark.parametrize(
    ("line", "word", "warning"),
    [
        ("乡村振兴 # 注", "乡村振兴", None),
        ("乡村振兴\t＃注", "乡村振兴", None),
        ("乡村振兴#注", "乡村振兴", "the text after # is read as a comment; the word is 乡村振兴"),
        ("华能#2机组", "华能", "the text after # is read as a comment; the word is 华能"),
        ("GPU#显卡", "GPU#显卡", "# is read as part of GPU#显卡; put a space before a comment"),
        ("乡村振兴 20#注", "乡村振兴 20#注", "# is read as part of 乡村振兴 20#注; put a space before a comment"),
        ("C# language", "C# language", None),
    ],
)
def test_comments_are_told_from_words_with_a_number_sign(
    tmp_path: Path, line: str, word: str, warning: str | None
) -> None:
    assert warnings(tmp_path, line) == ([f"1: {warning}"] if warning else [])
    assert words(tmp_path / "gov.txt") == [(word, 20)]


@pytest.mark.parametrize(
    ("line", "word", "told"),
    [
        ("人工 智能 30", "人工智能", True),
        ("大 语言　模型", "大语言模型", True),
        ("王 𬀩", "王𬀩", True),  # a character in names, outside the first plane
        ("华为 Mate", "华为 Mate", False),
        ("5G 网络", "5G 网络", False),
        ("Москва река", "Москва река", False),
    ],
)
def test_chinese_has_no_spaces(tmp_path: Path, line: str, word: str, told: bool) -> None:
    assert any("has a space between Chinese characters" in warning for warning in warnings(tmp_path, line)) == told
    assert [text for text, _ in words(tmp_path / "gov.txt")] == [word]


def test_lines_that_are_probably_mistakes(tmp_path: Path) -> None:
    assert warnings(tmp_path, "碳达峰,30\n碳\n，\n" + "很" * 21) == [
        "1: 碳达峰,30 looks like several words; write one word per line",
        "2: 碳 is ignored: too short to be distinguished from other speech",
        "3: ， is ignored: too short to be distinguished from other speech",
        f"4: {'很' * 21} is longer than 20 characters and is unlikely to be recognised as a whole",
    ]
    assert [word for word, _ in words(tmp_path / "gov.txt")] == ["碳达峰,30", "很" * 21]


def test_a_file_that_adds_nothing_is_mentioned(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.txt", "# 词 权重\n\n")
    assert read_hotwords([path]).warnings == (f"{path}: adds no hotwords",)
