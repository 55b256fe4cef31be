"""Transcripts of any tool are read as text with times; errors name the place of malformed input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from funasr_cli.errors import InputError
from funasr_cli.outputs.layout import OutputLayout, TxtLayout
from funasr_cli.outputs.writers import encode
from funasr_cli.scoring.normalise import units
from funasr_cli.scoring.read import read
from funasr_cli.transcript import Paragraph, Segment, Token, Transcript
from tests.scoring.conftest import Write


def starts(path: Path) -> list[tuple[str, float | None]]:
    """Return texts without surrounding spaces, and their start times."""
    return [(piece.text.strip(), piece.start) for piece in read(path) if piece.text.strip()]


LINES = (
    Segment(
        0.5, 2.0, (Token(" Today's", 0.5, 0.9, 1), Token(" state-of", 0.9, 1.4, 1), Token("-the-art,", 1.4, 2.0, 1))
    ),
    Segment(
        3661.25,
        3664.0,
        (Token(" a < b & c", 3661.25, 3662, 1), Token("开", 3662, 3662.4, 1), Token("会。", 3662.4, 3664, 1)),
    ),
)
PROSE = tuple(Paragraph(line.start, line.text) for line in LINES)
TALK = Transcript("a.wav", 4000, 5, None, "m", "0", "cpu", LINES, PROSE, ())


def written(kind: str) -> str:
    return encode(kind, TALK, OutputLayout()).decode()


@pytest.mark.parametrize("kind", ["txt", "srt", "vtt", "json", "tsv"])
def test_all_our_formats_hold_the_same_words(kind: str, write: Write) -> None:
    found = units(read(write(f"a.{kind}", written(kind))), "wer")
    assert found.tokens == ["todays", "state", "of", "the", "art", "a", "b", "c", "开", "会"]


@pytest.mark.parametrize("kind", ["srt", "vtt", "json", "tsv"])
def test_channels_that_speak_at_once_keep_their_words_and_their_labels_are_none(kind: str, write: Write) -> None:
    other = Segment(1.5, 2.5, (Token("[2] x", 1.5, 2.5, 1),), channel=3)
    call = replace(TALK, segments=(replace(LINES[0], channel=1), other, replace(LINES[1], channel=1)))
    found = starts(write(f"a.{kind}", encode(kind, call, OutputLayout()).decode()))
    assert [text for text, start in found if start == 1.5] == ["[2] x"]
    assert units(read(write(f"b.{kind}", encode(kind, call, OutputLayout()).decode())), "wer").tokens == (
        ["todays", "state", "of", "the", "art", "2", "x", "a", "b", "c", "开", "会"]
    )


@pytest.mark.parametrize("layout", ["paragraphs", "plain", "timestamps"])
@pytest.mark.parametrize("channels", [(None, None, None), (1, 3, 1)], ids=["mixed", "by channel"])
def test_labels_in_our_text_are_none_of_it(
    layout: TxtLayout, channels: tuple[int | None, int | None, int | None], write: Write
) -> None:
    said = ("Today's 第[2] x", "a < b & c", "开会。")
    prose = [Paragraph(3600.0 * i, text, channel) for i, (text, channel) in enumerate(zip(said, channels, strict=True))]
    content = encode(
        "txt", replace(TALK, paragraphs=tuple(prose)), OutputLayout(txt=layout, bom=True, crlf=True)
    ).decode()
    assert units(read(write("a.txt", content)), "wer").tokens == ["todays", "第", "2", "x", "a", "b", "c", "开", "会"]


@pytest.mark.parametrize(
    "text", ["[1] 第一条\n正文\n", "第一条 [1] 正文\n", "[9] 条\n", "[12:30] 开会\n", "[00:01:02]开会"]
)
def test_what_is_not_in_front_of_every_paragraph_is_no_label(text: str, write: Write) -> None:
    assert [piece.text.strip() for piece in read(write("a.txt", text))] == [text.strip()]


@pytest.mark.parametrize("kind", ["srt", "vtt", "tsv"])
def test_lines_begin_when_they_are_shown(kind: str, write: Write) -> None:
    assert [start for _, start in starts(write(f"a.{kind}", written(kind)))] == [0.5, 3661.25]


def test_json_has_the_times_of_tokens(write: Write) -> None:
    assert starts(write("a.json", written("json"))) == [
        ("Today's", 0.5),
        ("state-of", 0.9),
        ("-the-art,", 1.4),
        ("a < b & c", 3661.25),
        ("开", 3662),
        ("会。", 3662.4),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"text": "good morning", "words": [{"text": "good", "start": 1.5}, {"text": "morning", "start": 2}]},
        {"segments": [{"text": " good", "start": 1.5}, {"text": "morning", "start": 2}]},
        {
            "segments": [
                {"text": " good", "start": 1.5, "tokens": [50364, 7]},
                {"text": "morning", "start": 2, "tokens": []},
            ]
        },
    ],
    ids=["words", "segments", "segments with the numbers of Whisper's tokens"],
)
def test_json_of_other_tools(document: object, write: Write) -> None:
    path = write("a.json", json.dumps(document))
    assert starts(path) == [("good", 1.5), ("morning", 2)]
    assert units(read(path), "wer").tokens == ["good", "morning"]


def test_json_may_have_text_alone_and_say_that_nothing_was_said(write: Write) -> None:
    assert starts(write("a.json", '{"text": "各位好"}')) == [("各位好", None)]
    assert starts(write("b.json", '{"segments": []}')) == []


def test_json_of_funasr(write: Write) -> None:
    text = [
        {"key": "a", "text": "<|zh|><|NEUTRAL|><|Speech|><|withitn|>你好", "timestamp": [[1500, 1700], [1700, 2000]]}
    ]
    assert starts(write("a.json", json.dumps(text))) == [("你好", 1.5)]
    sentences = [{"text": "你好，", "start": 1500, "end": 2000}, {"text": "世界", "timestamp": [[2500, 2700]]}]
    result = {"key": "b", "text": "你好，世界", "sentence_info": sentences}
    assert starts(write("b.json", json.dumps([result]))) == [("你好，", 1.5), ("世界", 2.5)]
    assert starts(write("c.json", '[{"key": "c", "text": "你好"}]')) == [("你好", None)]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("utt1 你好 世界\nutt2 再见\n", "is a Kaldi text file"),
        ("BAC009S0764W0121\t你好\nBAC009S0764W0122\t再见\n", "is a Kaldi text file"),
        ("103-1240-0000 CHAPTER ONE\n103-1240-0001 THAT HAD\n", "is a Kaldi text file"),
        ("你好 世界 (spk-utt1)\n再见 (spk-utt2)\n", "is trn"),
        ("good morning (a_01)\n(a_02)\n", "is trn"),
        (";; stm\na 1 spk 0.0 1.5 <o,f0,male> 你好\na 1 spk 2 3.5 世界\n", "is stm"),
        ("a.wav A 甲 0.00 1.50 你好 世界\n", "is stm"),
        ("a 1 0.00 0.50 你好 0.9\na 1 0.60 0.30 世界 0.8\n", "is ctm"),
        ("a A 0.1 0.5 good\n", "is ctm"),
    ],
)
def test_texts_of_other_tools_do_not_pass_for_plain_ones(content: str, what: str, write: Write) -> None:
    with pytest.raises(InputError, match=what) as raised:
        read(write("a.txt", content))
    assert raised.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "utt1 你好\n",
        "5G 网络\n5G 网络\n",
        "2024-01-05 开会\n2024-01-06 散会\n",
        "1 第一\n2 第二\n",
        "this is (covid-19)\n",
        "good morning\nsee you\n",
        "a 1 2 3 你好\n",
        "Room 1 has 2 or 3 chairs\n",
        "第一 (2019)\n第二 (2020)\n",
        "",
    ],
)
def test_plain_texts_pass(content: str, write: Write) -> None:
    assert "".join(piece.text for piece in read(write("a.txt", content))).strip() == content.strip()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("start\tend\ttext\n0\t1500\tgood\n2000\t2500\tmorning\n", [0, 2]),
        ("0\t1500\tgood\n2000\t2500\tmorning\n", [0, 2]),
        ("0\t1.5\tgood\n2\t2.500\tmorning\n", [0, 2]),
        ("\ufeffStart\tEnd\tText\r\n0.25\t1.5\tgood\r\n2.00\t2.5\tmorning\r\n", [0.25, 2]),
    ],
    ids=["as we write it", "without a header", "a decimal point makes seconds", "from a spreadsheet"],
)
def test_tsv_in_milliseconds_or_seconds(content: str, expected: list[float], write: Write) -> None:
    assert starts(write("a.tsv", content)) == list(zip(["good", "morning"], expected, strict=True))


def test_srt_of_other_tools(write: Write) -> None:
    content = (
        "\ufeff1\r\n00:00:01,5 --> 00:00:02,000 X1:100 Y1:100\r\n{\\an8}<i>Good</i>\r\n<font color=red>morning</font>"
        "\r\n\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n\r\n00:00:05.250 --> 00:00:06.000\r\nx <y\r\n"
    )
    assert starts(write("a.SRT", content)) == [("Good morning", 1.5), ("x <y", 5.25)]


def test_vtt_of_other_tools(write: Write) -> None:
    content = (
        "WEBVTT - a talk\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE not spoken\n\n"
        "opening\n00:01.500 --> 00:02.000 align:start\n<v Ann>Good <00:01.700><c>morning</c></v>\n\n"
        "100:00:00.000 --> 100:00:01.000\nR&amp;D\n"
    )
    assert starts(write("a.vtt", content)) == [("Good morning", 1.5), ("R&D", 360_000)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.srt", "1\n00:00:01 -> 00:00:02\nhello\n", "not a valid .srt transcript: line 1: expected the times"),
        (
            "a.srt",
            "1\n00:00:01,0 --> 00:00:02,0\nhello\n\nlost\n",
            "line 5: expected the times of a cue",
        ),
        (
            "a.srt",
            "00:00:01,0 --> 00:00:02,0\nhello\n2\n00:00:02,0 --> 00:00:03,0\nyou\n",
            "line 4: expected an empty line before a cue",
        ),
        ("a.vtt", "00:01.000 --> 00:02.000\nhello\n", "line 1: expected WEBVTT"),
        ("a.tsv", "start\tend\ttext\n0\t1\tyes\n2\t3\n", "line 3: expected start, end and text, separated by tabs"),
        ("a.tsv", "file\ttext\tsplit\na.wav\tyes\ttrain\n", "line 1: expected start, end and text"),
        ("a.tsv", "nan\t1\tyes\n", "line 1: expected start, end and text"),
        ("a.json", '{"text": ', "not a valid .json transcript: Expecting value: line 1"),
        ("a.json", '["text"]', "expected an object"),
        ("a.json", '{"result": "yes"}', "expected `segments`, `words` or `text`"),
        ("a.json", '{"segments": {"text": ""}}', "segments: expected a list"),
        ("a.json", '{"words": ["yes"]}', "words[0]: expected an object"),
        ("a.json", '{"words": [{"word": "yes"}]}', "words[0].text: expected a string"),
        (
            "a.json",
            '{"segments": [{"tokens": [{"text": "yes", "start": NaN}]}]}',
            "segments[0].tokens[0].start: expected seconds",
        ),
        ("a.json", '{"words": [{"text": "yes", "start": 1' + "0" * 400 + "}]}", "not a valid .json transcript"),
        ("a.json", "[" * 200_000, "not a valid .json transcript"),
    ],
)
def test_what_is_malformed_is_named(name: str, content: str, message: str, write: Write) -> None:
    path = write(name, content)
    with pytest.raises(InputError) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in raised.value.what
    assert raised.value.hint


def test_another_encoding_is_named_and_so_is_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("会议".encode("gb18030"))
    with pytest.raises(InputError, match=r"is not UTF-8: .* at byte 0\n .*iconv -f GB18030"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\n会议\n".encode(encoding))
    with pytest.raises(InputError, match=r"is UTF-16\n .*iconv -f UTF-16"):
        read(path)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read(tmp_path / "a.txt")
