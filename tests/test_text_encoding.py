"""Bytes that are UTF-8 by chance: GB18030 Chinese with two-byte characters, and text that only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.hotwords import read_hotwords
from funasr_cli.text_encoding import ambiguity, decoded, encoding_of
from tests.support.command import Run

CHINESE = ("转写", "小时", "目录", "一元", "专装", "水石", "录", "元小", "猫", "AI转写", "AI目录")


@pytest.mark.parametrize("form", ["{}", "{}\n", "# list\r\n{} 20\r\n"])
@pytest.mark.parametrize("word", CHINESE)
def test_chinese_that_no_one_would_write_as_letters_is_read_as_chinese(word: str, form: str) -> None:
    data = form.format(word).encode("gb18030")
    assert data.decode("utf-8")  # it is UTF-8 too
    assert word in decoded(data)
    assert "is read as GB18030" in (ambiguity(data) or "")


@pytest.mark.parametrize("text", ["小写", "写\n"])
def test_if_it_could_be_either_that_is_said(text: str) -> None:
    data = text.encode("gb18030")
    assert encoding_of(data) == "utf-8-sig"
    assert "could be GB18030 (写" in (ambiguity(data) or "").replace("小", "")


@pytest.mark.parametrize(
    "text",
    [
        "café",
        "für Müller",
        "Привет, мир",
        "25 °C",
        "±5 %",
        "Łódź",
        "שלום",
        "Isto é bom",
        "résumé\n转写",
        "£20",
        "",
        "plain",
    ],
)
def test_text_in_utf8_is_read_without_a_word(text: str) -> None:
    assert (decoded(text.encode()), ambiguity(text.encode())) == (text, None)


@pytest.mark.parametrize("text", ["да", "дом\n", "תд"])
def test_a_byte_order_mark_ends_all_doubt(text: str) -> None:
    data = text.encode("utf-8-sig")
    assert (decoded(data), ambiguity(data)) == (text, None)
    assert ambiguity(text.encode()) is not None


def test_a_list_of_hotwords_is_read_and_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("转写\n".encode("gb18030"))
    found = read_hotwords([path])
    assert [word.text for word in found.words] == ["转写"]
    (warning,) = found.warnings
    assert warning.startswith(f"{path}: is read as GB18030 (转写), but could be UTF-8 (תд); to be sure, save it as")


def test_references_and_configuration_files_are_refused_or_warned_of(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hyp.txt").write_text("转写", encoding="utf-8")
    (tmp_path / "ref.txt").write_bytes("转写".encode("gb18030"))
    done = run("score", "hyp.txt", "ref.txt")
    assert done.returncode == 1
    assert "failed: ref.txt: is read as GB18030 (转写)" in done.stderr
    assert "iconv -f GB18030 -t UTF-8" in done.stderr
    (tmp_path / "ref.txt").write_text("да", encoding="utf-8")
    done = run("score", "hyp.txt", "ref.txt")
    assert (done.returncode, done.stderr.splitlines()[0].partition(" (")[0]) == (
        0,
        "warning: ref.txt: is read as UTF-8",
    )
    (tmp_path / "c.yaml").write_bytes("output: 转写\n".encode("gb18030"))
    done = run("transcribe", "x.wav", "--config", "c.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("error: c.yaml: is read as GB18030 (转写)")
