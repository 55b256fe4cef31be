"""Vocabularies in the three formats that models come with."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.recognizers.vocabulary import read_vocabulary


def test_a_list_of_strings(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text('["<unk>", "▁the", "一"]', encoding="utf-8")
    assert read_vocabulary(tmp_path) == ["<unk>", "▁the", "一"]


def test_a_token_and_its_id_a_line_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text("<unk> 0\n一 2\n\u3000x 1\n", encoding="utf-8")
    assert read_vocabulary(tmp_path) == ["<unk>", "\u3000x", "一"]


def test_a_sentencepiece_model(tmp_path: Path, shared: Path) -> None:
    name = "chn_jpn_yue_eng_ko_spectok.bpe.model"
    (tmp_path / name).write_bytes((shared / "nano" / name).read_bytes())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tokens.json").write_bytes((shared / "nano" / "tokens.json").read_bytes())
    assert read_vocabulary(tmp_path) == read_vocabulary(tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokens.json", "{}"),
        ("tokens.json", "[1, 2]"),
        ("tokens.json", "["),
        ("tokens.txt", "一 1\n二 2\n"),
        ("tokens.txt", "一 x\n"),
        ("chn_jpn_yue_eng_ko_spectok.bpe.model", "rubbish"),
    ],
)
def test_what_is_none_is_an_error_that_names_the_file(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=rf"{name}: not a vocabulary"):
        read_vocabulary(tmp_path)


def test_a_folder_without_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none of tokens\.json, tokens\.txt"):
        read_vocabulary(tmp_path)
