"""Spelling of words in the pieces of a vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.recognizers.spelling import Speller
from funasr_cli.recognizers.vocabulary import Pieces, read_vocabulary

PIECES = [
    *("<unk>", "▁the", "s", "▁model", "▁", "▁in", "model", "in", "▁M", "odel", "g", "p", "u", "G", "P", "U", "▁GP"),
    *("东", "京", "云", "5", "<|zh|>", "▁서울", "서", "울"),
]


def spelled(text: str, pieces: Pieces = PIECES) -> list[str]:
    """Its spellings, with `|` between pieces."""
    return ["|".join(pieces[piece] for piece in spelling) for spelling in Speller(pieces).spellings(text)]


def test_characters_of_a_script_without_spaces_are_pieces_and_have_one_spelling() -> None:
    assert spelled("东京云") == spelled("东京 云") == ["东|京|云"]


def test_a_word_may_begin_with_the_mark_or_without_and_be_in_lower_case() -> None:
    assert spelled("GPU") == ["▁GP|U", "G|P|U", "▁|g|p|u", "g|p|u"]
    assert spelled("models") == ["▁model|s", "model|s"]


def test_both_in_one_word() -> None:
    assert spelled("云GPU") == ["云|▁GP|U", "云|G|P|U", "云|▁|g|p|u", "云|g|p|u"]
    assert spelled("GPU 云") == ["▁GP|U|云", "G|P|U|云", "▁|g|p|u|云", "g|p|u|云"]
    assert spelled("5G云") == ["▁|5|G|云", "5|G|云", "▁|5|g|云", "5|g|云"]


def test_words_behind_others_begin_with_the_mark() -> None:
    assert spelled("the models in") == ["▁the|▁model|s|▁in"]
    assert spelled("서울 서울") == ["▁서울|▁서울", "서|울|▁서울"]


def test_a_single_piece_without_the_mark_is_in_too_many_other_words() -> None:
    assert spelled("in") == ["▁in"]
    assert spelled("京") == ["京"]


def test_of_many_ways_the_one_of_common_pieces_is_taken() -> None:
    assert spelled("models")[0] == "▁model|s"  # and not ▁M|odel|s or ▁|model|s
    assert spelled("Models")[0] == "▁M|odel|s"


def test_wide_letters_are_letters() -> None:
    assert spelled("ＧＰＵ") == spelled("GPU")


@pytest.mark.parametrize("text", ["", " ", "北京", "东北", "zoo", "<unk>", "<|zh|>"])
def test_what_the_vocabulary_lacks_has_no_spelling(text: str) -> None:
    assert spelled(text) == []


def test_the_vocabulary_of_sensevoice_spells_what_people_ask_for(shared: Path) -> None:
    pieces = read_vocabulary(shared / "facts" / "sensevoice")
    assert spelled("新质生产力", pieces) == ["新|质|生|产|力"]
    assert spelled("Kubernetes", pieces)[0] == "▁K|ub|er|net|es"
    assert spelled("machine learning", pieces)[0] == "▁machine|▁learning"
    assert spelled("5G基站", pieces) == ["▁|5|G|基|站", "5|G|基|站", "▁|5|g|基|站", "5|g|基|站"]
    assert spelled("東京タワー", pieces) == ["東|京|タ|ワ|ー"]
    assert spelled("서울 시청", pieces)[0] == "▁서울|▁시청"


def test_chinese_words_are_spelt_in_longer_pieces_where_the_vocabulary_has_them() -> None:
    assert spelled("东京云", [*PIECES[:-5], "东京", *PIECES[-5:]]) == ["东京|云"]
    assert spelled("东京市") == []
